#include "watch/config.hpp"

#include "site/key_description.hpp"
#include "site/load/table_reader.hpp"
#include "site/section.hpp"
#include "site/site.hpp"
#include "watch/limits.hpp"

namespace meridian::watch {
namespace {

constexpr site::KeyDescription kKeys[] = {
    {.table = "watch",
     .sentence = "The log store: it keeps the output of the application and of the workers of its "
                 "data center for `meridian logs`. It runs where the file has this table."},
    {.table = "watch",
     .key = "port",
     .sentence =
         "The port at which the agent hands over output and searches, for this host alone."},
    {.table = "watch",
     .key = "log_size",
     .sentence =
         "The bytes of all files of a data center's log store; the oldest lines are removed "
         "first."},
};

Config Parse(site::TableReader& reader, const site::Site& /*site*/) {
  Config config;
  config.log_bytes = reader.Size(
      "log_size", {.min = kMinLogBytes, .max = kMaxLogBytes, .fallback = config.log_bytes});
  return config;
}

}  // namespace

site::Section ConfigSection() { return site::Section::Of<Config>("watch", &Parse, kKeys); }

}  // namespace meridian::watch
