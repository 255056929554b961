// Parsers of the kernel's files about the whole host: proc(5), and the documentation of Linux that
// is named below. Pure: text in, values out. A value that is missing, malformed or cut off is
// absent.
//
// Devices: at most kMaxHostDevices of a kind; the counts of all others are summed in a device named
// kOverflowLabel. A device whose name is longer than kMaxDeviceName, or has bytes that are not
// printable ASCII, is left out.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/host/host_reading.hpp"

namespace meridian::agent {

// /proc/stat. `ticks_per_second`: sysconf(_SC_CLK_TCK). Time of guests is part of "user".
CpuReading ParseCpu(std::string_view text, double ticks_per_second);

// /proc/meminfo
MemoryReading ParseMemory(std::string_view text);

// /proc/diskstats (Documentation/admin-guide/iostats.rst). `whole`: the names in /sys/block, to
// leave out partitions. Left out too: devices in memory (ram, zram), files (loop), removable ones
// (fd, sr), and devices made of others, whose transfers are those of their parts (dm-, md).
std::vector<BlockDevice> ParseBlockDevices(std::string_view text,
                                           std::span<const std::string> whole);

// /proc/net/dev. Left out: the devices of containers and virtual machines (veth, docker, br-,
// virbr, vnet, tap, cali, cni, flannel, lxc), whose traffic passes another device too, and those
// that carry none of their own (dummy, ifb, bonding_masters).
std::vector<NetworkDevice> ParseNetworkDevices(std::string_view text);

// /proc/sys/fs/file-nr
std::optional<DescriptorReading> ParseDescriptors(std::string_view text);

// /proc/pressure/RESOURCE (Documentation/accounting/psi.rst)
Pressure ParsePressure(std::string_view resource, std::string_view text);

// /proc/loadavg
std::optional<Load> ParseLoad(std::string_view text);

}  // namespace meridian::agent
