//! What a run leaves behind: records, histograms, manifest, run directory.
