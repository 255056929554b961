// Parsers of kernel settings: the files of /proc/sys and of control groups. Pure. What is
// malformed is absent.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace meridian::cli {

using PortRange = std::pair<uint16_t, uint16_t>;  // first and last

// "4096\n". Nothing also for "max", which is no limit.
std::optional<uint64_t> ParseSetting(std::string_view text);

// net.ipv4.ip_local_port_range: "32768\t60999\n".
std::optional<PortRange> ParsePortRange(std::string_view text);

// net.ipv4.ip_local_reserved_ports: "8080,9000-9010\n", or an empty line. Entries that are
// malformed are left out.
std::vector<PortRange> ParsePortList(std::string_view text);

}  // namespace meridian::cli
