// Weight normalization with SIMD, on memory that the caller brings along: no data, no stack and no globals of its own, so
// that it can work inside the memory of another program. All arguments but counts and numbers are addresses.
export {
  addProducts,
  addProductsInFloat64,
  addSquares,
  combineColumns,
  combineColumnsInFloat64,
  finishBackward,
  finishForward,
  scaleColumns,
  scaleColumnsInFloat64,
} from './columns';
export { backwardRows, forwardRows } from './rows';
export { combine, products, scale, squares } from './slice';
