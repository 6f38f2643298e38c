"""One file a bound: its formula on a score matrix, and its value over a whole part."""
