"""What there is by name: encoders, data, views, estimators and measures."""

from collections.abc import Iterable


def list_encoders(pattern: str = "*") -> list[str]:
    """List what an encoder spec can be: all pretrained networks of timm and torchvision, and other sources.

    Parameters
    ----------
    pattern
        Shell-style, upper and lower case alike.

    Returns
    -------
    list of str
        Specs; words in capitals stand for your own.

    Examples
    --------
    >>> import mitools
    >>> mitools.list_encoders("*cifar_resnet2*")
    ['checkpoint:PATH?arch=cifar_resnet20']
    """
    from mitools.encoders.catalogue import encoder_specs

    return _matching(encoder_specs(), pattern)


def list_datasets(pattern: str = "*") -> list[str]:
    """List what a data spec can be, by an example of each source.

    Parameters
    ----------
    pattern
        Shell-style, upper and lower case alike.

    Returns
    -------
    list of str
        Specs, with paths and options to replace. Every source takes ``classes=a,b`` and ``limit=N`` too.

    Examples
    --------
    >>> import mitools
    >>> mitools.list_datasets("*mnist*")
    ['colorful_moving_mnist?shared=position', 'mnist:mnist?part=test']
    """
    from mitools.datasets.sources import DATA_SOURCES

    return _matching((source.example for source in DATA_SOURCES.values()), pattern)


def list_views(pattern: str = "*") -> list[str]:
    """List what a view can be named, by an example of each; ``mitools guide views`` says what they are.

    Parameters
    ----------
    pattern
        Shell-style, upper and lower case alike.

    Returns
    -------
    list of str
        Names, with parts and options to replace.

    Examples
    --------
    >>> import mitools
    >>> mitools.list_views("y*")
    ['yuv:uv', 'yiq:iq', 'ycbcr:cbcr', 'ypbpr:pbpr', 'ydbdr:dbdr']
    """
    from mitools.views.registry import VIEWS

    return _matching((view.example for view in VIEWS.values()), pattern)


def list_estimators(pattern: str = "*") -> list[str]:
    """List the methods of :func:`mutual_information`; ``mitools estimate --list`` says what each is for.

    Parameters
    ----------
    pattern
        Shell-style, upper and lower case alike.

    Examples
    --------
    >>> import mitools
    >>> mitools.list_estimators("*ksg*")
    ['ksg', 'mixed_ksg']
    """
    from mitools.estimators.registry import ESTIMATORS

    return _matching(ESTIMATORS, pattern)


def list_measures(pattern: str = "*") -> list[str]:
    """List the measures of an audit, a study or a plane.

    Parameters
    ----------
    pattern
        Shell-style, upper and lower case alike.

    Examples
    --------
    >>> import mitools
    >>> mitools.list_measures("knn*")
    ['knn20_acc', 'knn200_acc']
    """
    from mitools.measures.registry import MEASURES

    return _matching(MEASURES, pattern)


def _matching(names: Iterable[str], pattern: str) -> list[str]:
    from fnmatch import fnmatchcase

    return [name for name in names if fnmatchcase(name.lower(), pattern.lower())]
