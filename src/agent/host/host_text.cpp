#include "agent/host/host_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "agent/host/host_reading.hpp"
#include "agent/host/whole_lines.hpp"
#include "agent/limits.hpp"
#include "base/metrics.hpp"

namespace meridian::agent {
namespace {

constexpr std::array<std::string_view, 8> kCpuModes = {"user",   "nice", "system",  "idle",
                                                       "iowait", "irq",  "softirq", "steal"};
constexpr uint64_t kSectorBytes = 512;  // of /proc/diskstats, whatever the device has
constexpr uint64_t kKibibyte = 1024;
constexpr double kMicrosecond = 1e-6;
constexpr double kMillisecond = 1e-3;

constexpr std::array<std::string_view, 7> kSkippedBlockDevices = {"loop", "ram", "zram", "fd",
                                                                  "sr",   "dm-", "md"};
constexpr std::array<std::string_view, 13> kSkippedNetworkDevices = {
    "veth",    "docker", "br-",   "virbr", "vnet",           "tap", "cali", "cni",
    "flannel", "lxc",    "dummy", "ifb",   "bonding_masters"};

bool StartsWithAny(std::string_view name, std::span<const std::string_view> beginnings) {
  return std::ranges::any_of(beginnings, [&](auto each) { return name.starts_with(each); });
}

bool IsUsableName(std::string_view name) {
  auto printable = [](char c) { return c > ' ' && c < '\x7f'; };
  return !name.empty() && name.size() <= kMaxDeviceName && name != kOverflowLabel &&
         std::ranges::all_of(name, printable);
}

// Numbers of fields from `first` on; nothing if one of them is missing or malformed.
std::optional<std::vector<uint64_t>> Numbers(std::span<const std::string_view> fields, size_t first,
                                             size_t count) {
  if (fields.size() < first + count) return std::nullopt;
  std::vector<uint64_t> numbers;
  for (std::string_view field : fields.subspan(first, count)) {
    std::optional<uint64_t> number = WholeNumber(field);
    if (!number) return std::nullopt;
    numbers.push_back(*number);
  }
  return numbers;
}

void AddTo(BlockDevice& sum, const BlockDevice& device) {
  sum.reads += device.reads;
  sum.read_bytes += device.read_bytes;
  sum.writes += device.writes;
  sum.written_bytes += device.written_bytes;
  sum.busy_seconds += device.busy_seconds;
}

void AddTo(NetworkCounts& sum, const NetworkCounts& counts) {
  sum.bytes += counts.bytes;
  sum.packets += counts.packets;
  sum.errors += counts.errors;
  sum.drops += counts.drops;
}

void AddTo(NetworkDevice& sum, const NetworkDevice& device) {
  AddTo(sum.received, device.received);
  AddTo(sum.sent, device.sent);
}

// A name that is there already is left out, because two series must not have the same labels.
template <class Device>
void AddDevice(std::vector<Device>& devices, Device device) {
  if (std::ranges::find(devices, device.name, &Device::name) != devices.end()) return;
  if (devices.size() < kMaxHostDevices) {
    devices.push_back(std::move(device));
    return;
  }
  if (devices.size() == kMaxHostDevices) devices.push_back({.name = std::string(kOverflowLabel)});
  AddTo(devices.back(), device);
}

std::optional<double> Decimal(std::string_view text) {
  double value = 0;
  const char* begin = text.data();
  const char* end = begin + text.size();
  auto [at, error] = std::from_chars(begin, end, value, std::chars_format::fixed);
  const bool number = error == std::errc{} && at == end && std::isfinite(value) && value >= 0;
  if (!number) return std::nullopt;
  return value;
}

// "cpu  4136986 496251 …": the sum of all cores. Old kernels have fewer modes.
std::vector<CpuTime> ParseCpuTimes(std::span<const std::string_view> fields, double ticks) {
  const size_t count = std::min(fields.size() - 1, kCpuModes.size());
  auto numbers = Numbers(fields, 1, count);
  std::vector<CpuTime> times;
  if (!numbers) return times;
  for (size_t i = 0; i < count; ++i) {
    times.push_back({kCpuModes[i], static_cast<double>((*numbers)[i]) / ticks});
  }
  return times;
}

}  // namespace

CpuReading ParseCpu(std::string_view text, double ticks_per_second) {
  CpuReading reading;
  uint32_t cores = 0;
  for (std::string_view line : WholeLines(text)) {
    const std::vector<std::string_view> fields = Fields(line);
    if (fields.empty()) continue;
    if (fields[0] == "cpu") {
      reading.times = ParseCpuTimes(fields, ticks_per_second);
    } else if (fields[0].starts_with("cpu") && WholeNumber(fields[0].substr(3))) {
      ++cores;
    } else if (fields[0] == "btime" && fields.size() == 2) {
      if (auto seconds = WholeNumber(fields[1])) {
        reading.boot_time_seconds = static_cast<double>(*seconds);
      }
    }
  }
  if (cores > 0) reading.cores = cores;
  return reading;
}

MemoryReading ParseMemory(std::string_view text) {
  MemoryReading reading;
  const std::array<std::pair<std::string_view, std::optional<uint64_t>*>, 4> wanted = {{
      {"MemTotal:", &reading.total_bytes},
      {"MemAvailable:", &reading.available_bytes},
      {"SwapTotal:", &reading.swap_total_bytes},
      {"SwapFree:", &reading.swap_free_bytes},
  }};
  for (std::string_view line : WholeLines(text)) {
    const std::vector<std::string_view> fields = Fields(line);
    if (fields.size() != 3 || fields[2] != "kB") continue;
    for (const auto& [name, value] : wanted) {
      if (fields[0] != name) continue;
      std::optional<uint64_t> kibibytes = WholeNumber(fields[1]);
      if (kibibytes && *kibibytes <= std::numeric_limits<uint64_t>::max() / kKibibyte) {
        *value = *kibibytes * kKibibyte;
      }
    }
  }
  return reading;
}

std::vector<BlockDevice> ParseBlockDevices(std::string_view text,
                                           std::span<const std::string> whole) {
  constexpr size_t kName = 2;
  constexpr size_t kNumbers = 10;  // reads … milliseconds of transfers
  std::vector<BlockDevice> devices;
  for (std::string_view line : WholeLines(text)) {
    const std::vector<std::string_view> fields = Fields(line);
    if (fields.size() <= kName || !IsUsableName(fields[kName])) continue;
    const std::string_view name = fields[kName];
    if (StartsWithAny(name, kSkippedBlockDevices)) continue;
    // A slash in a device's name is an exclamation mark in /sys.
    std::string entry(name);
    std::ranges::replace(entry, '/', '!');
    if (std::ranges::find(whole, entry) == whole.end()) continue;
    auto numbers = Numbers(fields, kName + 1, kNumbers);
    if (!numbers) continue;
    const std::vector<uint64_t>& n = *numbers;
    const uint64_t max_sectors = std::numeric_limits<uint64_t>::max() / kSectorBytes;
    if (n[2] > max_sectors || n[6] > max_sectors) continue;
    AddDevice(devices, {.name = std::string(name),
                        .reads = n[0],
                        .read_bytes = n[2] * kSectorBytes,
                        .writes = n[4],
                        .written_bytes = n[6] * kSectorBytes,
                        .busy_seconds = static_cast<double>(n[9]) * kMillisecond});
  }
  return devices;
}

std::vector<NetworkDevice> ParseNetworkDevices(std::string_view text) {
  constexpr size_t kNumbers = 16;
  constexpr size_t kSent = 8;  // bytes packets errs drop fifo frame compressed multicast, each way
  std::vector<NetworkDevice> devices;
  for (std::string_view line : WholeLines(text)) {
    const size_t colon = line.rfind(':');
    if (colon == line.npos) continue;  // the two lines of headings
    const std::vector<std::string_view> names = Fields(line.substr(0, colon));
    if (names.size() != 1 || !IsUsableName(names[0])) continue;
    if (StartsWithAny(names[0], kSkippedNetworkDevices)) continue;
    const std::vector<std::string_view> fields = Fields(line.substr(colon + 1));
    auto numbers = Numbers(fields, 0, kNumbers);
    if (!numbers) continue;
    auto counts = [&](size_t from) {
      const std::vector<uint64_t>& n = *numbers;
      return NetworkCounts{
          .bytes = n[from], .packets = n[from + 1], .errors = n[from + 2], .drops = n[from + 3]};
    };
    AddDevice(devices,
              {.name = std::string(names[0]), .received = counts(0), .sent = counts(kSent)});
  }
  return devices;
}

std::optional<DescriptorReading> ParseDescriptors(std::string_view text) {
  const std::vector<std::string_view> lines = WholeLines(text);
  if (lines.size() != 1) return std::nullopt;
  const std::vector<std::string_view> fields = Fields(lines[0]);
  auto numbers = Numbers(fields, 0, 3);  // allocated, of them free, limit
  if (!numbers || (*numbers)[1] > (*numbers)[0]) return std::nullopt;
  return DescriptorReading{.open = (*numbers)[0] - (*numbers)[1], .limit = (*numbers)[2]};
}

Pressure ParsePressure(std::string_view resource, std::string_view text) {
  constexpr std::string_view kTotal = "total=";
  Pressure pressure{.resource = resource};
  for (std::string_view line : WholeLines(text)) {
    const std::vector<std::string_view> fields = Fields(line);
    if (fields.empty() || !fields.back().starts_with(kTotal)) continue;
    std::optional<uint64_t> total = WholeNumber(fields.back().substr(kTotal.size()));
    if (!total) continue;
    const double seconds = static_cast<double>(*total) * kMicrosecond;
    if (fields[0] == "some") pressure.some_seconds = seconds;
    if (fields[0] == "full") pressure.full_seconds = seconds;
  }
  return pressure;
}

std::optional<Load> ParseLoad(std::string_view text) {
  const std::vector<std::string_view> lines = WholeLines(text);
  if (lines.empty()) return std::nullopt;
  const std::vector<std::string_view> fields = Fields(lines[0]);
  if (fields.size() < 3) return std::nullopt;
  std::optional<double> one = Decimal(fields[0]);
  std::optional<double> five = Decimal(fields[1]);
  std::optional<double> fifteen = Decimal(fields[2]);
  if (!one || !five || !fifteen) return std::nullopt;
  return Load{.minutes_1 = *one, .minutes_5 = *five, .minutes_15 = *fifteen};
}

}  // namespace meridian::agent
