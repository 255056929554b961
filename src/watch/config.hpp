// The watch tier's settings: [watch] of site.toml. docs/site.toml.md says what each key is for;
// config.cpp describes and reads them.
#pragma once

#include <cstdint>

#include "site/section.hpp"

namespace meridian::watch {

struct Config {
  uint64_t log_bytes = uint64_t{4} * 1024 * 1024 * 1024;  // of the log store's files
  uint64_t copy_bytes = uint64_t{512} * 1024 * 1024;      // of each other data center's copy
  bool access_log = false;                                // the edge's access log is kept in it too
};

site::Section ConfigSection();

}  // namespace meridian::watch
