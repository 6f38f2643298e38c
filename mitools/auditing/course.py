"""How far an audit is: which encoder of how many, and which of its steps."""

from mitools.core.progress import Advance, tell_whole


class Course:
    """Tells the whole of an audit as its steps begin.

    Parameters
    ----------
    advance
        Is told.
    encoders
        How many there are.
    passes
        Passes over the data that each encoder makes; measuring is one more step.
    """

    def __init__(self, advance: Advance, encoders: int, passes: int) -> None:
        self._advance, self._encoders, self._steps = advance, encoders, passes + 1
        self._encoder, self._passed = 0, 0

    def begin_encoder(self, title: str) -> None:
        """Go on to the next encoder, which is opened first."""
        self._encoder, self._passed = self._encoder + 1, 0
        self._tell(0.0, 0.0)
        self._advance(f"opening {title}", 0, 1)

    def begin_pass(self) -> None:
        """Begin a pass over the data."""
        self._tell(self._passed / self._steps, 1 / self._steps)
        self._passed += 1

    def begin_measuring(self, layer: int, layers: int) -> None:
        """Begin to measure a layer, counted from 0."""
        measured = self._steps - 1 + layer / layers
        self._tell(measured / self._steps, 1 / (self._steps * layers))

    def _tell(self, done: float, step: float) -> None:
        number = f"encoder {self._encoder} of {self._encoders}"
        tell_whole(self._advance, number, self._encoder - 1 + done, self._encoders, step)
