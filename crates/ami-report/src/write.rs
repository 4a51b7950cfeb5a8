//! Puts reports into a folder. Each file is replaced as a whole.

use std::fs;
use std::path::{Path, PathBuf};

use ami_results::layout::slug;
use ami_results::run_dir::{self, RunDir, WriteError};

use crate::render::csv::intervals;
use crate::render::{csv, hgrm};
use crate::summary::{Summary, Target};
use crate::{Format, ReportError, plot};

/// The files of these formats in `folder`, which is made where it is missing; what does not depend on the summary alone
/// is read from the run.
pub fn write(
    summary: &Summary,
    run_dir: &RunDir,
    formats: &[Format],
    folder: &Path,
) -> Result<Vec<PathBuf>, ReportError> {
    let mut folder = Folder::make(folder)?;
    for format in formats {
        if let Some((name, text)) = format.document(summary) {
            folder.text(name, &text)?;
        }
        match format {
            Format::Svg => plots(summary, &mut folder)?,
            Format::Csv => sheets(summary, run_dir, &mut folder)?,
            Format::Hgrm => percentiles(summary, &mut folder)?,
            Format::Text | Format::Markdown | Format::Json | Format::Junit | Format::Html => {}
        }
    }
    Ok(folder.written)
}

fn plots(summary: &Summary, folder: &mut Folder) -> Result<(), ReportError> {
    for target in &summary.targets {
        let quantiles = plot::quantiles::plot(summary, target);
        folder.text(&plot::quantiles::file_name(target), &quantiles)?;
        let timeline = plot::timeline::plot(summary, target);
        folder.text(&plot::timeline::file_name(target), &timeline)?;
    }
    Ok(())
}

fn sheets(summary: &Summary, run_dir: &RunDir, folder: &mut Folder) -> Result<(), ReportError> {
    folder.file("summary.csv", |out| Ok(csv::summary(summary, out)?))?;
    folder.file("intervals.csv", |out| {
        intervals::write(summary, run_dir, out)
    })?;
    folder.file("calls.csv", |out| csv::calls(summary, run_dir, out))
}

fn percentiles(summary: &Summary, folder: &mut Folder) -> Result<(), ReportError> {
    let layout = &summary.manifest.layout;
    let mut inside = Folder::make(&folder.path.join("hgrm"))?;
    let name = |target: &Target, phase: &str, action: &str, kind| {
        let [target, phase, action] = [&target.name, phase, action].map(slug);
        format!("{target}-{phase}-{action}-{kind}.hgrm")
    };
    for target in &summary.targets {
        for cell in &target.phases {
            for (kind, histogram) in &cell.histograms {
                let (phase, action) = (layout.phase(cell.phase), layout.action(cell.action));
                if let Some(text) = hgrm::render(histogram) {
                    inside.text(&name(target, &phase.name, &action.name, kind), &text)?;
                }
            }
        }
    }
    folder.written.append(&mut inside.written);
    Ok(())
}

pub(crate) struct Folder {
    path: PathBuf,
    pub(crate) written: Vec<PathBuf>,
}

type Out = std::io::BufWriter<fs::File>;

impl Folder {
    pub(crate) fn make(path: &Path) -> Result<Self, ReportError> {
        fs::create_dir_all(path).map_err(|source| ReportError::Folder {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            path: path.to_owned(),
            written: Vec::new(),
        })
    }

    pub(crate) fn text(&mut self, name: &str, text: &str) -> Result<(), ReportError> {
        let path = self.path.join(name);
        run_dir::replace(&path, text.as_bytes())?;
        self.written.push(path);
        Ok(())
    }

    fn file(
        &mut self,
        name: &str,
        write: impl FnOnce(&mut Out) -> Result<(), ReportError>,
    ) -> Result<(), ReportError> {
        let path = self.path.join(name);
        run_dir::replace_with(&path, |out| {
            write(out).map_err(|error| match error {
                ReportError::Table(source) => ReportError::Write(WriteError {
                    path: path.clone(),
                    source,
                }),
                other => other,
            })
        })?;
        self.written.push(path);
        Ok(())
    }
}
