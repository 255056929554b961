// Reads what `meridian doctor` judges of this machine. Blocks: reads files of /proc, /sys and the
// state directory. Changes nothing.
#pragma once

#include <filesystem>

#include "cli/doctor/facts.hpp"
#include "site/site.hpp"

namespace meridian::cli {

// `site`: for its certificates; null: none.
MachineFacts ReadMachine(const std::filesystem::path& state_directory, const site::Site* site);

}  // namespace meridian::cli
