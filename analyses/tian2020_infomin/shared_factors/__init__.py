"""Which factors are learnt of those that two views share (Sec. 4.1, Table 4, B.4)."""
