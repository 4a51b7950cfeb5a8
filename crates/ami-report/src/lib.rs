//! Turns results into something to read: tables, Markdown, SVG plots.
