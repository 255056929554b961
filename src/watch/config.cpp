#include "watch/config.hpp"

#include "site/key_description.hpp"
#include "site/load/table_reader.hpp"
#include "site/section.hpp"
#include "site/site.hpp"
#include "watch/copies/limits.hpp"
#include "watch/limits.hpp"

namespace meridian::watch {
namespace {

constexpr site::KeyDescription kKeys[] = {
    {.table = "watch",
     .sentence = "The log store: it keeps the output of the application and of the workers of its "
                 "data center, and the lines of Meridian's own processes, for `meridian logs`. It "
                 "runs where the file has this table."},
    {.table = "watch",
     .key = "port",
     .sentence =
         "The port at which the agent hands over output and searches, for this host alone."},
    {.table = "watch",
     .key = "log_size",
     .sentence =
         "The bytes of all files of a data center's log store; the oldest lines are removed "
         "first."},
    {.table = "watch",
     .key = "copies_size",
     .sentence = "The bytes of the copy that a data center keeps of the lines of each other one; "
                 "the oldest lines are removed first."},
    {.table = "watch",
     .key = "access_log",
     .sentence = "Whether the log store also keeps the lines of the edge's access log, which "
                 "`access_log` of `[edge]` chooses."},
};

Config Parse(site::TableReader& reader, const site::Site& /*site*/) {
  Config config;
  config.log_bytes = reader.Size(
      "log_size", {.min = kMinLogBytes, .max = kMaxLogBytes, .fallback = config.log_bytes});
  config.copy_bytes = reader.Size(
      "copies_size", {.min = kMinCopyBytes, .max = kMaxCopyBytes, .fallback = config.copy_bytes});
  config.access_log = reader.Boolean("access_log", config.access_log);
  return config;
}

}  // namespace

site::Section ConfigSection() { return site::Section::Of<Config>("watch", &Parse, kKeys); }

}  // namespace meridian::watch
