"""Photos to tables: a folder or an object store, in one process, several, or a cluster.

==============  =====================================================================
``storage``     object stores and local folders, through fsspec
``sources``     which photos there are, and what each is called
``manifest``    the same for archives: written down once, read in pieces
``measure``     one photo -> its rows, or why there are none
``engine``      who measures: the interface, and this process
``worker``      what runs inside a child process
``child``       a child process, replaced when it dies; quarantine
``pool``        children of this process
``cluster``     children of Dask's workers (``cluster_task``: what those run)
``engines``     which of them
``workers``     how many
``lock``        one run at a time on one output
``journal``     what is done already of one table, kept through crashes
``fill``        what a journal lacks, measured
``tables``      rows -> DataFrame, CSV or Parquet, long or wide
``files``       nothing half-written under its final name
``parts``       an archive's rows, one part per shard, and their count
``archive``     an archive from its manifest to its count
``progress``    the bar
``score``       the two calls: `score_folder` and `score_to_file`
==============  =====================================================================
"""
