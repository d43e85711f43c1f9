use dataset_model::DatasetId;

use crate::{Archive, disk::Stray, error::ArchiveError, fault::Fault, layout, validate::validate_object};

impl Archive {
    /// Validates a dataset's object in full (OCFL 1.1) and hashes all of its content again, streaming. Nothing is
    /// wrong when no fault [is an error](Fault::is_error); `W004`, which advises SHA-512, is always among them.
    ///
    /// # Errors
    /// [`ArchiveError::NotFound`] when there is no such dataset; otherwise when the store cannot be read.
    pub async fn verify(&self, dataset: &DatasetId) -> Result<Vec<Fault>, ArchiveError> {
        let object = layout::object(dataset);
        if !self.store().holds(&object.clone().join(layout::DECLARATION)).await?
            && self.store().list(&object).await?.is_empty()
        {
            return Err(ArchiveError::NotFound { what: dataset.to_string() });
        }
        let mut faults = validate_object(self.store().objects().clone(), object.as_ref()).await?;
        if let Some(disk) = self.store().disk() {
            faults.extend(disk.strays(&object).await?.into_iter().map(fault_of));
        }
        Ok(faults)
    }
}

/// What only the disk shows, as a fault of OCFL.
fn fault_of(stray: Stray) -> Fault {
    match stray {
        Stray::EmptyFolder(path) => {
            let code = match path.split('/').collect::<Vec<_>>().as_slice() {
                [_, "content"] => "W003",
                [_, "content", ..] => "E024",
                _ => "E001",
            };
            Fault::new(code, path, "the folder is empty")
        }
        Stray::Unfinished(path) => {
            let code = match path.split('/').count() {
                1 => "E001",
                2 => "E015",
                _ => "E023",
            };
            Fault::new(code, path, "the file was left half written: roll back or commit again")
        }
    }
}
