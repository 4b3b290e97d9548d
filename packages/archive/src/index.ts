export {
  type ArchiveDestination,
  ArchiveDestinationError,
  type ArchiveFile,
  ArchiveFileMissingError,
  InvalidArchiveNameError,
  InvalidArchiveUrlError,
} from "./archive-destination.ts";
export {
  ARCHIVE_FORMATS,
  type ArchiveColumn,
  ArchiveFileBrokenError,
  type ArchiveFormat,
  type ArchiveFormatName,
  type ArchiveRow,
} from "./archive-format.ts";
export { archiveFormat, openArchiveDestination } from "./open-archive.ts";
