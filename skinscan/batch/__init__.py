"""Folders of photos to one table, in one process or several.

==============  =====================================================================
``sources``     which photos there are, and what each is called
``measure``     one photo -> its rows, or why there are none
``engine``      who measures: this process or a pool of workers
``worker``      what runs inside a worker
``journal``     what is done already, kept through crashes
``tables``      rows -> DataFrame, CSV or Parquet, long or wide
``files``       nothing half-written under its final name
``progress``    the bar
``score``       the orchestration: `score_folder` and `score_to_file`
==============  =====================================================================
"""
