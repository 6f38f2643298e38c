"""Clustering: whether the classes show as clusters when nobody names them."""

from numpy.typing import ArrayLike

from mitools.backends.threads import blas_threads
from mitools.estimators.inputs.validation import as_labels, same_length
from mitools.metrics.sphere import Features, unit_rows

FULL_KMEANS_ROWS = 20_000
"""Above this many rows k-means works on mini-batches."""


def kmeans_nmi(features: Features, labels: ArrayLike, seed: int = 0) -> float:
    """Normalised mutual information of the classes and as many k-means clusters; higher is better.

    Clusters are of L2-normalised features, the best of three k-means++ starts; above 20,000 rows by
    mini-batches of 4,096. The normaliser is the arithmetic mean of the two entropies.

    Parameters
    ----------
    features
        Shape (n, d). A row of zeros stays at the origin.
    labels
        Shape (n,).
    seed
        Of the starts and the mini-batches.

    Returns
    -------
    float
        Between 0 and 1; 0 for constant features (one cluster tells nothing), where scikit-learn warns that
        it found fewer distinct points than clusters.

    Raises
    ------
    InputError
        When the lengths differ or values are not finite.

    References
    ----------
    Oh Song et al., "Deep Metric Learning via Lifted Structured Feature Embedding", CVPR 2016.
    """
    from sklearn.cluster import KMeans, MiniBatchKMeans
    from sklearn.metrics import normalized_mutual_info_score

    unit = unit_rows(features).numpy()
    index = as_labels(labels)
    same_length(len(unit), len(index), "features", "labels")
    clusters = int(index.max()) + 1
    if len(unit) > FULL_KMEANS_ROWS:
        model = MiniBatchKMeans(clusters, batch_size=4096, n_init=3, random_state=seed)
    else:
        model = KMeans(clusters, n_init=3, random_state=seed)
    # k-means runs its own OpenMP threads; BLAS threads inside its many small products only wait for each
    # other, which makes it ten times slower on a busy machine.
    with blas_threads(1):
        found = model.fit_predict(unit)
    return float(normalized_mutual_info_score(index, found))
