"""imagerecords as a library: build a data set, open one, and the errors that both raise."""
