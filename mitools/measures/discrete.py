"""What a representation's discrete variables are like: the run's own, or its columns in bins."""

from mitools.measures.measured import Measured
from mitools.measures.representation import Representation
from mitools.measures.settings import MeasureSettings
from mitools.variables.discretise import fit_bins
from mitools.variables.measure import measure_variables


def discrete_variables(representation: Representation, settings: MeasureSettings) -> Measured:
    """Measure all items: nothing is fitted to more of them than where the bins lie.

    A run that was trained with soft variables has its own. Of any other representation columns that vary
    become variables of eight equal-mass bins: 64 of them at the most, drawn at random.
    """
    own, groups = representation.variables, representation.parts.groups
    rows = representation.rows
    variables = fit_bins(rows, seed=settings.seed) if own is None else own
    found = measure_variables(rows, variables, groups, settings.seed)
    most, nearly_all = found.one_hot_shares
    return Measured(
        {
            "entropy": found.entropy,
            "redundancy": found.redundancy,
            "total_correlation": found.total_correlation,
            "units_used": found.units_used,
            "one_hot_share": most,
            "one_hot_share_99": nearly_all,
        }
    )
