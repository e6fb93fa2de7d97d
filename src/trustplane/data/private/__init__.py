"""Statistics with noise, under a privacy budget (differential privacy; Dwork, McSherry, Nissim and Smith, TCC 2006)."""
