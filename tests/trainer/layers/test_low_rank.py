import keras
import numpy as np
import pytest

from trainer.layers.low_rank import add_low_rank, find_kernels, merge_low_rank

RNG = np.random.default_rng(0)
RANK, SCALE = 2, 0.5


def dense():
    return keras.layers.Dense(5, name="dense"), (3, 4)


def query():
    """Sums over one axis of `(hidden_dim, heads, head_dim)`."""
    return keras.layers.EinsumDense("abc,cde->abde", (None, 2, 3), bias_axes="de"), (3, 6, 4)


def attention_output():
    """Sums over two axes of `(heads, head_dim, hidden_dim)`."""
    return keras.layers.EinsumDense("abcd,cde->abe", (None, 5)), (3, 6, 2, 4)


def pointwise():
    return keras.layers.Conv2D(5, 1, strides=2, name="pointwise"), (3, 6, 6, 4)


LAYERS = [dense, query, attention_output, pointwise]


def changed(make, **options):
    """Returns a layer whose kernel was changed, inputs, and its outputs before."""
    layer, shape = make()
    x = RNG.normal(size=shape).astype(np.float32)
    before = layer(x).numpy()
    normal = keras.initializers.RandomNormal(stddev=1.0, seed=1)
    add_low_rank(layer, RANK, scale=SCALE, left=normal, right=normal, **options)
    return layer, x, before


@pytest.mark.parametrize("make", LAYERS)
def test_the_kernel_is_changed_by_the_product(make):
    layer, x, _ = changed(make, singular_values=keras.initializers.Constant([2.0, -1.0]))
    plain, shape = make()
    plain.build(shape)
    matrix = layer._kernel.numpy().reshape(layer.left.shape[0], -1)
    change = layer.left.numpy() @ np.diag([2.0, -1.0]) @ layer.right.numpy()
    plain.set_weights(layer.get_weights()[: len(plain.weights)])
    plain._kernel.assign((matrix + SCALE * change).reshape(layer._kernel.shape))
    np.testing.assert_allclose(layer(x), plain(x), atol=1e-5)
    # A matrix of rank 2 has its inputs as rows, whatever the kernel's shape.
    assert np.linalg.matrix_rank(change) == RANK
    assert layer.left.shape[0] * layer.right.shape[1] == layer._kernel.numpy().size


@pytest.mark.parametrize("make", LAYERS)
def test_merging_gives_the_layer_back(make):
    layer, x, before = changed(make)
    expected = layer(x).numpy()
    assert np.abs(expected - before).max() > 0.1
    merge_low_rank(layer)
    np.testing.assert_allclose(layer(x), expected, atol=1e-5)
    assert type(layer) is type(make()[0])
    assert {of.name for of in layer.weights} <= {"kernel", "bias"}
    type(layer).from_config(layer.get_config())


def test_is_not_saved_without_its_change(tmp_path):
    layer, _, _ = changed(dense)
    model = keras.Sequential([keras.Input([4]), layer])
    with pytest.raises(ValueError, match="Merge before saving"):
        model.save_weights(tmp_path / "all.weights.h5")


def test_finds_matrices_by_name():
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input([6, 6, 4]),
            layers.Conv2D(4, 3, name="wide"),
            layers.DepthwiseConv2D(1, name="deep"),
            layers.Conv2D(4, 1, groups=2, name="groups"),
            layers.Conv2D(4, 1, name="point"),
            layers.Dense(4, name="dense"),
        ],
        name="net",
    )
    assert {layer.name for layer in find_kernels(model, ".*")} == {"point", "dense"}
    assert [layer.name for layer in find_kernels(model, "po.*")] == ["point"]
    with pytest.raises(ValueError, match=r"layer of 'net' is called 'wide'.*'dense', 'point'"):
        find_kernels(model, "wide")
