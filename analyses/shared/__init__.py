"""What several studies share: training their runs, evaluating them, writing what was found."""
