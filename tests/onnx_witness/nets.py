"""Every translation from ONNX, and what has none."""

from __future__ import annotations

from tests.onnx_witness import layers, sequences, shapes, values
from tests.onnx_witness.translation import TRANSLATIONS, LeftOut, Translation

__all__ = ["NO_COUNTERPART", "TRANSLATIONS", "LeftOut", "Translation", "layers", "sequences", "shapes", "values"]

# Operators of ONNX of which no case is run: by reason, the types.
NO_COUNTERPART = {
    "the original has no such operator": (
        "Acosh AffineGrid Asinh Atanh Attention Bernoulli BitShift BitwiseNot BlackmanWindow CausalConvWithState "
        "Celu CenterCropPad CumProd CumSum DFT Det Einsum FlexAttention GatherElements GatherND GridSample "
        "HammingWindow HannWindow HardSwish Hardmax IsInf LinearAttention MaxUnpool MelWeightMatrix NonMaxSuppression "
        "NonZero ReduceProd RegexFullMatch RotaryEmbedding Round STFT ScatterElements ScatterND Shrink SwiGLU "
        "TensorScatter TfIdfVectorizer TreeEnsemble Trilu"
    ),
    "the original's operator of that name means something else": (
        "Adagrad Adam Col2Im DeformConv LabelEncoder MeanVarianceNormalization Momentum ReverseSequence Scatter "
        "StringConcat StringNormalizer StringSplit"
    ),
    "eight-bit operators of the original round halves away from zero; they have references of their own": (
        "ConvInteger DequantizeLinear DynamicQuantizeLinear MatMulInteger QLinearConv QLinearMatMul QuantizeLinear"
    ),
    "sequences and optional values are kinds of value that the original does not have": (
        "OptionalGetElement OptionalHasElement SequenceInsert SequenceMap SplitToSequence"
    ),
    "control flow is told by nets in attributes, which are of another kind; tests/control has cases of its own": (
        "If Loop Scan"
    ),
    "it only copies bits or types, or makes a constant": "ArrayFeatureExtractor Binarizer BitCast CastLike Constant "
    "ConstantOfShape",
    "pictures are files: tests/operators/test_pictures.py decodes its own": "ImageDecoder",
    "the labels and weights of the loss are counted in another way": "NegativeLogLikelihoodLoss",
}
