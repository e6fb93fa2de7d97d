"""Views as tensors: every row once, in batches of one size, shuffled by a seed."""

from itertools import islice

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trustplane.client.tensors import Tensors, loader
from trustplane.values.errors import BadInput

torch = pytest.importorskip("torch")


def made(sizes, how, **columns):
    """The loader of a made-up view of batches of these sizes; the column ``n`` counts its rows."""

    def rows(asked):
        start = 0
        for size in sizes:
            n = list(range(start, start + size))
            start += size
            batch = {
                "n": n,
                "even": [x % 2 == 0 for x in n],
                **{c: v[n[0] : n[-1] + 1] for c, v in columns.items() if n},
            }
            yield pa.RecordBatch.from_pydict({c: batch[c] for c in asked})

    return loader(rows, how)


@given(
    sizes=st.lists(st.integers(1, 30), max_size=6),
    batch=st.integers(1, 40),
    shuffle=st.integers(0, 60),
    seed=st.integers(0, 2**31),
)
def test_every_row_comes_once_with_its_label(sizes, batch, shuffle, seed):
    tensors = made(sizes, Tensors(("n",), "even", batch=batch, shuffle=shuffle, seed=seed))
    first, second = list(tensors), list(tensors)
    count = sum(sizes)
    for walk in (first, second):
        seen = [int(x) for features, _ in walk for x in features[:, 0]]
        assert sorted(seen) == list(range(count))
        assert all(int(x) % 2 == 1 - int(y) for fs, ys in walk for x, y in zip(fs[:, 0], ys, strict=True))
        assert [len(ys) for _, ys in walk] == [batch] * (count // batch) + [count % batch] * bool(count % batch)
        if not shuffle:
            assert seen == list(range(count))
    again = list(made([count] if count else [], Tensors(("n",), "even", batch=batch, shuffle=shuffle, seed=seed)))
    assert all(torch.equal(a, b) for x, y in zip(first, again, strict=True) for a, b in zip(x, y, strict=True))


def test_each_walk_has_an_order_of_its_own():
    tensors = made([500], Tensors(("n",), batch=100, shuffle=300, seed=3))
    one, two = (torch.cat(list(tensors))[:, 0] for _ in range(2))
    assert not torch.equal(one, two)
    assert not torch.equal(one, torch.arange(500).float())


def test_features_are_floats_and_labels_whole_where_they_are():
    columns = {"x": [1.5, None, 3.0], "d": [None, 2, 3]}
    [(features, labels)] = made([3], Tensors(("x", "even", "d"), "n", dtype="float64"), **columns)
    assert (features.dtype, labels.dtype) == (torch.float64, torch.int64)
    assert features[0, :2].tolist() == [1.5, 1.0]
    assert features.isnan().tolist() == [[False, False, True], [True, False, False], [False, False, False]]
    [(_, told)] = made([3], Tensors(("n",), "y"), y=[0.5, 1.5, 2.5])
    assert told.dtype == torch.float32


@pytest.mark.parametrize(
    ("how", "columns"),
    [
        ({"features": ("word",)}, {"word": ["a", "b"]}),
        ({"features": ("n",), "label": "y"}, {"y": [1, None]}),
        ({"features": ()}, {}),
        ({"features": ("n",), "batch": 0}, {}),
        ({"features": ("n",), "shuffle": -1}, {}),
        ({"features": ("n",), "dtype": "int8"}, {}),
    ],
)
def test_what_is_no_tensor_is_refused(how, columns):
    with pytest.raises(BadInput) as told:
        list(made([2], Tensors(**how), **columns))
    assert told.value.code == "TP-DATA-140"


def test_a_data_loader_takes_it_in_one_process(monkeypatch):
    tensors = made([5, 5], Tensors(("n",), "even", batch=4))
    batches = list(torch.utils.data.DataLoader(tensors, batch_size=None))
    assert [len(y) for _, y in batches] == [4, 4, 2]
    monkeypatch.setattr(torch.utils.data, "get_worker_info", lambda: object())
    with pytest.raises(BadInput) as told:
        next(iter(tensors))
    assert told.value.code == "TP-DATA-141"


def test_a_model_learns_from_a_view_and_only_its_columns_are_opened(scientist, people_view, steward):
    tensors = scientist.views.torch("people", ["age"], "amount", batch=16, shuffle=32, seed=1)
    net = torch.nn.Linear(1, 1)
    step = torch.optim.SGD(net.parameters(), lr=1e-5)
    seen = 0
    for features, labels in tensors:
        loss = ((net(features)[:, 0] - labels) ** 2).mean()
        step.zero_grad()
        loss.backward()
        step.step()
        seen += len(labels)
    assert seen == 58
    assert next(scientist.views.batches("people", columns=["age"])).schema.names == ["age"]
    with pytest.raises(BadInput) as told:
        next(iter(scientist.views.torch("people", ["agee"])))
    assert "age" in told.value.why
    assert [len(b) for b in islice(scientist.views.torch("people", ["age", "amount"], batch=10), 2)] == [10, 10]
