// A second place for the log: a file beside the terminal or pipe that ConfigureLog names, so that
// an operator or journald keeps reading standard error, and the watch tier reads the file.
#pragma once

#include "base/log_file.hpp"
#include "base/result.hpp"

namespace meridian {

// Writes each line to the file too, as JSON. Call once, after ConfigureLog and before threads
// start. Errors: those of LogFile::Open; the log then goes on without the file. A line that the
// file does not take is in the first place alone.
Result<void> CopyLogTo(LogFileOptions options);
// ConfigureLog does this.
void EndLogCopy();

// For the log: the file; null: there is none.
LogFile* CopyOfLog();

}  // namespace meridian
