import { readFileSync } from 'node:fs';
import * as entryRoot from 'tfjs-parametrize';
import * as entryCheckpoint from 'tfjs-parametrize/checkpoint';
import * as entryDecorators from 'tfjs-parametrize/decorators';
import * as entryFinetune from 'tfjs-parametrize/finetune';
import * as entryLayers from 'tfjs-parametrize/layers';
import * as entryLegacy from 'tfjs-parametrize/legacy';
import * as entryNn from 'tfjs-parametrize/nn';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

// What users may import. A change of these lists is a change of the public interface and belongs in CHANGELOG.md.

/** The names of the catalog: one line a file, types with a colon. */
const catalogNames = `
  Circulant circulant
  FixedRank fixedRank :FixedRankOptions
  :NormAxis
  :OrthogonalDistribution :OrthogonalMapName :OrthogonalSampleOptions updateBase
  :OrthogonalMap
  Aol aol :AolOptions
  Ball ball :BallOptions
  CenteredWeightNorm centeredWeightNorm :CenteredWeightNormOptions
  Correlation correlation :CorrelationOptions
  :AdapterInitial :AdapterOptions :AdapterSettings :Adapters :LowRankAdapters :RankAxis :ScalingSettings :SeveralAdapters
  Dora dora :DoraOptions
  DoublyStochastic doublyStochastic :DoublyStochasticOptions
  DropConnect dropConnect :DropConnectOptions
  EqualizedLearningRate equalizedLearningRate :EqualizedLearningRateOptions
  FakeQuantize fakeQuantize :FakeQuantizeOptions
  Grassmannian :GrassmannianMap :GrassmannianOptions grassmannian Invertible :InvertibleOptions invertible :RotationMap SpecialLinear :SpecialLinearOptions specialLinear
  Interval interval :IntervalOptions
  Kronecker kronecker :KroneckerOptions :KroneckerShapes
  Lora lora :LoraOptions
  LoraBias loraBias :LoraBiasOptions
  LowRank lowRank :LowRankOptions
  MaxNorm maxNorm :MaxNormOptions
  MinMaxNorm minMaxNorm :MinMaxNormOptions
  NonNeg nonNeg
  Ordered ordered :OrderedOptions
  Orthogonal orthogonal :OrthogonalOptions
  Positive positive :PositiveMap :PositiveOptions
  PositiveDefinite positiveDefinite :PositiveDefiniteOptions
  PositiveSemidefinite positiveSemidefinite :PositiveSemidefiniteOptions
  Prune prune :PruneOptions
  Simplex simplex :SimplexOptions
  Skew skew
  SpectralNorm spectralNorm :SpectralNormOptions
  Sphere sphere :SphereMap :SphereOptions
  StableDiagonal stableDiagonal
  Symmetric symmetric
  Toeplitz toeplitz :ToeplitzOptions
  Triangular triangular :TriangularDiagonal :TriangularOptions
  UnitNorm unitNorm :UnitNormOptions
  WeightNorm weightNorm :KeptAxes :WeightNormOptions :WeightNormScale
  WeightStandardization weightStandardization :WeightStandardizationOptions
  ZeroMean zeroMean :ZeroMeanOptions
`
  .trim()
  .split(/\s+/);

const catalogValues = catalogNames.filter((name) => !name.startsWith(':'));
const catalogTypes = catalogNames.filter((name) => name.startsWith(':')).map((name) => name.slice(1));

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

describe('the public interface', () => {
  it('has these entries', () => {
    const { exports } = JSON.parse(read('package.json')) as { exports: object };
    expect(Object.keys(exports)).toEqual([
      '.',
      './nn',
      './checkpoint',
      './legacy',
      './layers',
      './decorators',
      './finetune',
      './tfjs-parametrize.min.js',
      './tfjs-parametrize-layers.min.js',
      './package.json',
    ]);
  });

  it('of tfjs-parametrize is this', () => {
    const { values, types } = exportsOf('src/index.ts');
    expect(values).toEqual(
      [
        ...names(`
        AlmostOrthogonal Hurwitz Parametrization ParametrizeError almostOrthogonal applyRecipe cached catalog
        checkParametrization checked clipGradients clone copyInto defineParametrization describe evaluate fold
        freeze groupOptimizer hurwitz initialize initializeFromBatch insertParametrization invalidate
        isParametrized minimize nn parametrizationsOn parametrize pure recipeOf registerParametrization
        removeParametrization removeParametrizations reorderParametrizations replaceParametrization squaredNorms
        syncOptimizer tie transferParametrizationsAndParams typeBeforeParametrizations valueOf without
      `),
        ...catalogValues,
      ].sort(),
    );
    expect(types).toEqual(
      [
        ...names(`
        AlmostOrthogonalOptions Apply ApplyRecipeOptions Arithmetic AxesDefinition BatchInitialization
        BatchInitialized Candidate Catalog CatalogFunction CheckOptions ClipOptions CopyOptions DescribeOptions
        DescribedOriginal DescribedTensor DescribedTotals Description DescriptionData ElementCount ErrorCode
        ErrorParts Frozen Group GroupOptimizer HTMLOptions HookKeys HostType HostTypes HurwitzOptions
        InsertOptions InsertPosition Keep KeepOptions MinimizeOptions MovedTensor NoOptions OneOrMore
        OptionDefinition OriginalDefinition ParameterSelector ParametrizationCheck ParametrizationDefinition
        ParametrizationFunction ParametrizationLike ParametrizationList ParametrizationObject ParametrizeOptions
        ParametrizeReport Parts Pattern PlainTensor PossibleHost PossibleTensorName ReadTensor Recipe RecipeStep
        RecipeTie RegisterOptions RemoveOptions ReplaceOptions Rule RuledTensor SecondCallDefinition Selector SetDefinition
        SetFunctions Shaped SkewOptions SkippedTensor Step StepSelector SymmetricOptions TargetTensor
        TensorNameOf TensorRecipe TieOptions
      `),
        ...catalogTypes,
      ].sort(),
    );
  });

  it('of tfjs-parametrize/nn is this', () => {
    const { values, types } = exportsOf('src/nn/index.ts');
    expect(values).toEqual(
      names(`
        AdaptiveAvgPool1d AdaptiveAvgPool2d AvgPool1d AvgPool2d BatchNorm1d BatchNorm2d Bilinear
        CELU CircularPad1d CircularPad2d ConstantPad1d ConstantPad2d Conv1d Conv2d Conv3d
        ConvTranspose1d ConvTranspose2d ConvTranspose3d Dropout Dropout1d Dropout2d ELU Embedding
        Flatten GELU GLU GRU GRUCell GroupNorm Hardshrink Hardsigmoid Hardswish Hardtanh Identity
        InstanceNorm1d InstanceNorm2d LSTM LSTMCell LayerNorm LeakyReLU Linear LogSigmoid LogSoftmax
        MaxPool1d MaxPool2d MeanOnlyBatchNorm1d MeanOnlyBatchNorm2d Mish Module ModuleDict ModuleList ModuleSequence MultiheadAttention PReLU ParameterDict
        ParameterList RNN RNNCell ReLU ReLU6 ReflectionPad1d ReflectionPad2d ReplicationPad1d
        ReplicationPad2d SELU Sequential SiLU Sigmoid Softmax Softplus Softshrink Softsign
        StateDictError Tanh Tanhshrink Threshold TransformerEncoderLayer Unflatten Upsample ZeroPad1d ZeroPad2d buffer init
        manualSeed mappingText parameter
      `),
    );
    expect(types).toEqual(
      names(`
        AttentionOptions AvgPool1dOptions AvgPool2dOptions BatchNormOptions BilinearOptions Conv1dOptions Conv2dOptions Conv3dOptions
        ConvTranspose1dOptions ConvTranspose2dOptions ConvTranspose3dOptions DropoutOptions EmbeddingOptions
        EncoderOptions ForwardHook ForwardPreHook GELUOptions GRUCellOptions GRUOptions GroupNormOptions HookHandle InstanceNormOptions KeyAction
        KeyFormat KeyMapping LSTMCellOptions LSTMOptions LSTMState LayerNormOptions LinearOptions LoadStateDictOptions
        LoadStateDictPreHook LoadStateDictReport MaxPoolOptions MeanOnlyBatchNormOptions MultiheadAttentionOptions NamedModules NamedParameters Parametrizations
        PretrainedOptions RNNCellOptions RNNOptions StateDict StateDictLoading StateDictOptions TransformerEncoderLayerOptions UpsampleMode UpsampleOptions
      `),
    );
  });

  it('of tfjs-parametrize/checkpoint is this', () => {
    const { values, types } = exportsOf('src/checkpoint/index.ts');
    expect(values).toEqual(
      names(`
        CheckpointError PythonObject loadCheckpoint openSafetensors openTorch readSafetensors readTorch saveCheckpoint writeSafetensors
      `),
    );
    expect(types).toEqual(
      names(`
        Catalog CheckpointFile CheckpointNote CheckpointReport CheckpointSource CheckpointTarget DType ElementArray
        LoadCheckpointOptions ModelTypes OpenOptions OptimizerReport Progress RecipeStep Rename SafetensorsCheckpoint
        SaveCheckpointOptions StatefulModel StoredTensor TensorInfo TorchCheckpoint TorchOptions VectorNote
      `),
    );
  });

  it('of tfjs-parametrize/legacy is this', () => {
    const { values, types } = exportsOf('src/legacy/index.ts');
    expect(values).toEqual(names('removeSpectralNorm removeWeightNorm spectralNorm weightNorm'));
    expect(types).toEqual(names('Hooked SpectralNormOptions WithTensor'));
  });

  it('of tfjs-parametrize/layers is this', () => {
    const { values, types } = exportsOf('src/layers/index.ts');
    expect(values).toEqual(
      names(`
        MeanOnlyBatchNormalization constraintsToParametrizations folded loadParametrizedModel saveParametrizedModel
        syncModel
      `),
    );
    expect(types).toEqual(
      names(`
        LayerName LoadParametrizedModelOptions MeanOnlyBatchNormalizationArgs SaveParametrizedModelOptions
      `),
    );
  });

  it('of tfjs-parametrize/finetune is this', () => {
    const { values, types } = exportsOf('src/finetune/index.ts');
    expect(values).toEqual(
      names(`
        GradualPruning calibrate cubicSparsity isPruned loadAdapter loadQuantized mergeAdapters pruneGlobally pruneGradually
        saveAdapter saveQuantized setAdapters sparsityOf unloadAdapters
      `),
    );
    expect(types).toEqual(
      names(`
        ActiveAdapters AdapterSource AdapterTarget CalibrateOptions CubicSparsityOptions LoadAdapterOptions LoadQuantizedOptions
        LoadedAdapter MergeOptions MergedAdapters ModelSparsity PeftConfig PruneGloballyOptions PruneGraduallyOptions
        QuantizationReport SaveAdapterOptions SaveQuantizedOptions SavedTensor TensorSparsity UnloadOptions
      `),
    );
  });

  it('of tfjs-parametrize/decorators is this', () => {
    const { values, types } = exportsOf('src/decorators/index.ts');
    expect(values).toEqual(names('DecoratorError parametrizationsOf parametrized parametrizedModule'));
    expect(types).toEqual(
      names(`
        AnyClass DeclaredByRule DeclaredOnField DeclaredParametrization Decoratable DecoratorMode
        DecoratorOptions FieldDecorator ModuleRules ParametrizationFactory RegistrationFunction
      `),
    );
  });

  it.each([
    ['src/index.ts', entryRoot],
    ['src/nn/index.ts', entryNn],
    ['src/layers/index.ts', entryLayers],
    ['src/checkpoint/index.ts', entryCheckpoint],
    ['src/legacy/index.ts', entryLegacy],
    ['src/decorators/index.ts', entryDecorators],
    ['src/finetune/index.ts', entryFinetune],
  ])('of %s is there when the program runs', (path, entry) => {
    expect(Object.keys(entry).sort()).toEqual(exportsOf(path).values);
  });
});

/** The words of a text. */
const names = (text: string): string[] => text.match(/\S+/g) ?? [];

/** The names that an index file exports, each named in it: `export *` without a name is refused. */
function exportsOf(path: string): { values: string[]; types: string[] } {
  const values: string[] = [];
  const types: string[] = [];
  for (const statement of ts.createSourceFile(path, read(path), ts.ScriptTarget.ES2022).statements) {
    // The one entry that does something: it teaches the package the layers of tfjs-layers.
    if (path === 'src/layers/index.ts' && !ts.isExportDeclaration(statement)) continue;
    if (!ts.isExportDeclaration(statement) || statement.exportClause === undefined) {
      throw new Error(`${path} has a statement that is not an export of names`);
    }
    const { exportClause, isTypeOnly } = statement;
    const specifiers = ts.isNamedExports(exportClause) ? [...exportClause.elements] : [exportClause];
    for (const specifier of specifiers) {
      const isType = isTypeOnly || (ts.isExportSpecifier(specifier) && specifier.isTypeOnly);
      (isType ? types : values).push(specifier.name.text);
    }
  }
  return { values: values.sort(), types: types.sort() };
}
