"""Neighbours and the value of rows, beside scikit-learn, pynndescent and cleanlab."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import numpy as np
from shared import interleaved, quick, seconds, show

from burnish.model import shapley
from burnish.model.distances import Space
from burnish.model.neighbours import Neighbours, cache, neighbours

K = 15
WIDTH = 64


def points(n: int) -> np.ndarray[Any, Any]:
    """Rows of 64 numbers near a surface of 16 dimensions in ten groups."""
    random = np.random.default_rng(0)
    groups = random.normal(size=(10, 16)) * 2
    inner = random.normal(size=(n, 16)) + groups[np.arange(n) % 10]
    return inner @ random.normal(size=(16, WIDTH)) + random.normal(size=(n, WIDTH)) * 0.1


def ours(values: Any) -> Neighbours:
    cache.clear()
    return neighbours(values, K)


def of_sklearn(values: Any) -> Any:
    from sklearn.neighbors import NearestNeighbors

    return NearestNeighbors(n_neighbors=K, algorithm="brute", n_jobs=-1).fit(values).kneighbors()


def of_pynndescent(values: Any) -> Any:
    from pynndescent import NNDescent

    return NNDescent(values.astype(np.float32), n_neighbors=K + 1, random_state=0).neighbor_graph


def graphs(n: int, repeats: int) -> None:
    values = points(n)
    truth = ours(values)
    near = of_pynndescent(values)[0]
    found = [
        len(set(a) & set(b)) for a, b in zip(near.tolist(), truth.indices.tolist(), strict=True)
    ]
    acts = {
        "burnish": partial(seconds, partial(ours, values)),
        "kept": partial(seconds, partial(neighbours, values, K)),
        "scikit-learn": partial(seconds, partial(of_sklearn, values)),
        "pynndescent": partial(seconds, partial(of_pynndescent, values)),
    }
    took = interleaved(acts, repeats)
    print(f"  the {K} nearest of {n:,} rows of {WIDTH} numbers")
    notes = {
        "burnish": "exact, ties by key",
        "kept": "the same, asked for again",
        "scikit-learn": "exact",
        "pynndescent": f"compiled before; recall {np.mean(found) / K:.3f}",
    }
    show(took, ours="burnish", notes=notes)


def values_of_rows(n: int) -> None:
    vectors = points(2 * n)
    labels = np.arange(2 * n) % 10
    judges = np.arange(2 * n) % 2 == 0

    def exact() -> None:
        shapley.shapley_values(Space.of(vectors, "euclidean"), labels, 10, judges)

    def truncated() -> None:
        from cleanlab.data_valuation import data_shapley_knn

        data_shapley_knn(labels[:n], features=vectors[:n], k=10)

    acts = {"burnish": partial(seconds, exact), "cleanlab": partial(seconds, truncated)}
    print(f"  the Shapley value of {n:,} rows")
    notes = {
        "burnish": f"exact, {n:,} others judge",
        "cleanlab": "of the 10 nearest only; the rows judge themselves",
    }
    show(interleaved(acts, 1), ours="burnish", notes=notes)


def precision() -> None:
    """Print how well wrong labels of digits are found, 10 % of them at random."""
    from cleanlab.data_valuation import data_shapley_knn
    from sklearn.datasets import load_digits
    from sklearn.metrics import average_precision_score

    import burnish as bn

    digits, random = load_digits(), np.random.default_rng(0)
    truth, n = digits.target, len(digits.target)
    wrong = random.random(n) < 0.1
    labels = np.where(wrong, (truth + random.integers(1, 10, n)) % 10, truth)
    vote = bn.find.knn_vote(digits.data, labels, min_score=0)
    value = bn.find.knn_shapley(digits.data, labels, min_score=0)
    issues = self_confidence(digits.data, labels)
    named = {"issues": issues, "vote": vote, "value": value}
    lists = {**named, "combined": bn.find.second_opinions(named)}
    print("  average precision for wrong labels of digits, 10 % of them wrong")
    for name, found in lists.items():
        scores = np.zeros(n)
        scores[found.keys.astype(int)] = found.scores
        print(f"    {name:20} {average_precision_score(wrong, scores):.3f}")
    theirs = 1 - data_shapley_knn(labels, features=digits.data, k=10)
    print(f"    {'cleanlab, truncated':20} {average_precision_score(wrong, theirs):.3f}")


def self_confidence(vectors: Any, labels: Any) -> Any:
    """Return all rows by 1 minus the probability of the given label."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from burnish.core.finding import Findings

    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    probs = cross_val_predict(model, vectors, labels, cv=5, method="predict_proba")
    scores = 1 - probs[np.arange(len(labels)), labels]
    nothing = [None] * len(labels)
    return Findings("self-confidence", range(len(labels)), scores, nothing, nothing)


def main() -> None:
    warnings.simplefilter("ignore")
    small = quick()
    for n in [2_000] if small else [10_000, 30_000]:
        graphs(n, 1 if small else 3)
    values_of_rows(1_000 if small else 10_000)
    precision()


if __name__ == "__main__":
    main()
