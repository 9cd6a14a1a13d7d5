"""What a run leaves behind: the output folder, the collector of late artifacts, and one file per kind of report."""
