import type { Run } from './layout.ts';
import type { WorkgroupSchedule } from './workgroupSchedule.ts';

/** The result of a shader: the result of a pass, or the sums over a part of each slice. */
type Computed = 'W' | 'dg' | 'dv' | 'sums';

/** One of the computations of weight normalization on a GPU. */
export interface Step {
  readonly computed: Computed;
  /** True if Σ dW·v is needed in addition to Σ v². */
  readonly withProducts: boolean;
  /** True if the sums are read from `sums`, where other workgroups have written one for each part. */
  readonly fromParts: boolean;
}

/**
 * Returns the WGSL of a step. Each workgroup adds up its slices, its threads get the sums, and each thread writes the
 * elements that it read.
 *
 * A slice is first added up as it is, at the speed of memory. If that over- or underflows in float32, the slice is
 * added up again with its numbers scaled by a power of two, the {@link range inverse} of the largest.
 */
export function shaderOf(schedule: WorkgroupSchedule, step: Step): string {
  const { components, isAcross, runs, threads, threadsOfSlice } = schedule;
  const slicesAtOnce = threads / threadsOfSlice;
  const vector = (type: string, isOne: boolean) => (isOne ? type : `vec4<${type}>`);
  return `
alias Element = ${vector('f32', components === 1)};
alias Norm = ${vector('f32', components === 1 || !isAcross)};
alias Bits = ${vector('u32', components === 1 || !isAcross)};
${range}
${offset('startOf', runs, true)}
${offset('at', runs, false)}

var<workgroup> ofThread : array<Sums, ${threads}>;

fn main(index : i32) {
  let thread = index % ${threads};
  let group = index / ${threads};
  let place = thread ${isAcross ? `% ${slicesAtOnce}` : `/ ${threadsOfSlice}`};
  let member = thread ${isAcross ? `/ ${slicesAtOnce}` : `% ${threadsOfSlice}`};
  let part = group % uniforms.parts;
  let slice = group / uniforms.parts * ${slicesAtOnce} + place;
  let isSlice = slice < uniforms.slices;
  let start = startOf(slice);
  let begin = part * uniforms.partLength + member;
  // Nobody may leave before the last barrier: those without a slice add up nothing.
  let end = select(0, min((part + 1) * uniforms.partLength, uniforms.sliceLength), isSlice);
  var total = Sums();
  ${step.fromParts ? fromParts(schedule) : fromNumbers(schedule, step)}
  if (!isSlice) { return; }
  ${step.computed === 'sums' ? writeSums : write(step.computed, threadsOfSlice)}
}
${step.fromParts ? '' : reduceSlice(schedule, step)}`;
}

/** The WGSL for sums and the powers of two that their numbers were multiplied by. */
const range = `
struct Sums { squares : Norm, products : Norm, largest : Norm }

fn exponentOf(x : Norm) -> Bits { return clamp(bitcast<Bits>(x) >> Bits(23), Bits(1), Bits(252)); }
fn powerOf2(exponent : Bits) -> Norm { return bitcast<Norm>(exponent << Bits(23)); }

// A power of two times which all numbers are below 1, and the largest is not below 1/2.
fn inverseOf(largest : Norm) -> Norm {
  return select(powerOf2(Bits(253) - exponentOf(largest)), Norm(1), largest == Norm(0));
}
fn scaleOf(largest : Norm) -> Norm {
  return select(powerOf2(exponentOf(largest) + Bits(1)), Norm(1), largest == Norm(0));
}

// True for sums that are too small or too large for float32. They are compared as integers, so that NaN is too large:
// it may be the difference of two products that were too large.
fn isOutside(sum : Norm, least : f32) -> bool {
  let size = bitcast<Bits>(abs(sum));
  return any((size < Bits(bitcast<u32>(least))) | (size > Bits(bitcast<u32>(0x1p126f))));
}

fn merged(a : Sums, b : Sums) -> Sums {
  let largest = max(a.largest, b.largest);
  let ofA = inverseOf(largest) * scaleOf(a.largest);
  let ofB = inverseOf(largest) * scaleOf(b.largest);
  let squares = a.squares * ofA * ofA + b.squares * ofB * ofB;
  return Sums(squares, a.products * ofA + b.products * ofB, largest);
}`;

/** The WGSL function for the start of a slice, or for the position of a number in it. */
function offset(name: string, runs: readonly Run[], isKept: boolean): string {
  const places = runs.flatMap((run, i) => (run.isKept === isKept ? [i] : [])).reverse();
  const terms = places.map((i, k) =>
    k < places.length - 1
      ? `offset += rest % uniforms.size${i} * uniforms.stride${i}; rest /= uniforms.size${i};`
      : `offset += rest * uniforms.stride${i};`,
  );
  return `fn ${name}(index : i32) -> i32 { var offset = 0; var rest = index; ${terms.join(' ')} return offset; }`;
}

/** The WGSL of the sum of one thread. */
function reduceSlice(
  { components, isAcross, threadsOfSlice }: WorkgroupSchedule,
  { withProducts }: Step,
): string {
  const folds = components === 4 && !isAcross;
  return `
fn reduceSlice(start : i32, begin : i32, end : i32, scale : Norm) -> Sums {
  var squares = Element(0);
  var products = Element(0);
  var largest = Element(0);
  for (var k = begin; k < end; k += ${threadsOfSlice}) {
    let i = start + at(k);
    let x = Element(v[i]) * scale;
    squares += x * x;
    ${withProducts ? 'products += Element(dW[i]) * x;' : ''}
    largest = max(largest, abs(x));
  }
  return ${
    folds
      ? 'Sums(dot(squares, Element(1)), dot(products, Element(1)), max(max(largest.x, largest.y), max(largest.z, largest.w)))'
      : 'Sums(squares, products, largest)'
  };
}`;
}

/** The WGSL loop over the sums of the threads of a slice that the loop head `j` selects. */
function withEach(
  { isAcross, threads, threadsOfSlice }: WorkgroupSchedule,
  head: string,
  statements: string,
): string {
  const place = isAcross ? `j * ${threads / threadsOfSlice} + place` : `place * ${threadsOfSlice} + j`;
  return `for (var j = ${head}) { let other = ofThread[${place}]; ${statements} }`;
}

/**
 * The WGSL in which every thread combines the sums of all threads of its slice.
 *
 * With n parts, some threads first combine a share of them, so no thread combines more than 2·√n. This takes one
 * barrier; a tree would take one for each level.
 */
function combine(schedule: WorkgroupSchedule, statements: string): string {
  const { threadsOfSlice } = schedule;
  if (threadsOfSlice <= 16) return withEach(schedule, `0; j < ${threadsOfSlice}; j++`, statements);
  const leaders = threadsOfSlice > 64 ? 16 : 8;
  return `
  if (member < ${leaders}) {
    ${withEach(schedule, `member; j < ${threadsOfSlice}; j += ${leaders}`, statements)}
    ofThread[thread] = total;
  }
  workgroupBarrier();
  total = Sums();
  ${withEach(schedule, `0; j < ${leaders}; j++`, statements)}`;
}

/** The WGSL of the sums over numbers. */
function fromNumbers(schedule: WorkgroupSchedule, { withProducts }: Step): string {
  const add = 'total.squares += other.squares; total.products += other.products;';
  return `
  ofThread[thread] = reduceSlice(start, begin, end, Norm(1));
  workgroupBarrier();
  ${combine(schedule, `${add} total.largest = max(total.largest, other.largest);`)}
  let scale = inverseOf(total.largest);
  // Squares that are too small count for less than a last digit of such a sum.
  let least = f32(uniforms.sliceLength) * 0x1p-100;
  let isLost = isOutside(total.squares, least)${withProducts ? ' | isOutside(total.products, least)' : ''};
  workgroupBarrier();
  if (isLost) { ofThread[thread] = reduceSlice(start, begin, end, scale); }
  workgroupBarrier();
  if (isLost) {
    total.squares = Norm(0);
    total.products = Norm(0);
    ${withEach(schedule, `0; j < ${schedule.threadsOfSlice}; j++`, add)}
  } else {
    total.squares = total.squares * scale * scale;
    total.products = total.products * scale;
  }`;
}

/** The WGSL of the sums over the sums of parts. */
const fromParts = (schedule: WorkgroupSchedule): string => `
  var mine = Sums();
  for (var p = member; p < uniforms.parts && isSlice; p += ${schedule.threadsOfSlice}) {
    let i = 3 * (p * uniforms.slices + slice);
    mine = merged(mine, Sums(sums[i], sums[i + 1], sums[i + 2]));
  }
  ofThread[thread] = mine;
  workgroupBarrier();
  ${combine(schedule, 'total = merged(total, other);')}`;

const writeSums = `
  if (member > 0) { return; }
  let i = 3 * (part * uniforms.slices + slice);
  result[i] = total.squares;
  result[i + 1] = total.products;
  result[i + 2] = total.largest;`;

/**
 * The WGSL that writes at the positions where v was read, or once for each norm.
 *
 * v is multiplied by its power of two first. The factor g/‖v‖ may exceed float32, so v is multiplied by its mantissa
 * and twice by half of its power of two. So an intermediate result over- or underflows only if the final result does.
 */
function write(computed: Exclude<Computed, 'sums'>, threadsOfSlice: number): string {
  const each = {
    dg: `
  if (member == 0 && part == 0) { result[slice] = total.products / divisor; }`,
    W: `
  let factor = Norm(g[slice]) / divisor;
  for (var k = begin; k < end; k += ${threadsOfSlice}) {
    let i = start + at(k);
    result[i] = Element(v[i]) * inverse * factor;
  }`,
    dv: `
  let ratio = Norm(g[slice]) / divisor * select(Norm(1), Norm(0), isZero);
  let digits = ratio * powerOf2(Bits(254) - exponentOf(abs(ratio)));
  let exponent = exponentOf(abs(ratio)) + exponentOf(inverse);
  let half = exponent >> Bits(1);
  let c = select(Norm(0), Norm(1), norm > bound) * Norm(dg[slice]) / divisor;
  for (var k = begin; k < end; k += ${threadsOfSlice}) {
    let i = start + at(k);
    let across = Element(dW[i]) - Element(v[i]) * inverse * c;
    result[i] = across * digits * powerOf2(half) * powerOf2(exponent - half);
  }`,
  };
  return `
  let inverse = inverseOf(total.largest);
  let isZero = total.squares == Norm(0);
  let norm = select(sqrt(total.squares), Norm(1), isZero);
  let bound = uniforms.eps * inverse;
  // Not max, which may take the bound for NaN.
  let divisor = select(norm, bound, norm < bound);${each[computed]}`;
}
