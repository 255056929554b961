#include "agent/host/host_families.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/host/host_reading.hpp"
#include "base/metrics.hpp"

namespace meridian::agent {
namespace {

class Families {
 public:
  // The calls of Add that follow add series to this family.
  void Begin(std::string_view name, std::string_view help, MetricType type) {
    all_.push_back(
        {.name = "meridian_host_" + std::string(name), .help = std::string(help), .type = type});
  }
  void BeginCounter(std::string_view name, std::string_view help) {
    Begin(name, help, MetricType::kCounter);
  }
  void BeginGauge(std::string_view name, std::string_view help) {
    Begin(name, help, MetricType::kGauge);
  }

  void Add(MetricLabels labels, std::optional<double> value) {
    if (value) all_.back().series.push_back({.labels = std::move(labels), .value = *value});
  }
  // A count is exact beyond 2^53.
  void AddCount(MetricLabels labels, uint64_t count) {
    all_.back().series.push_back({.labels = std::move(labels), .count = count});
  }
  void AddWhole(MetricLabels labels, std::optional<uint64_t> value) {
    if (value) Add(std::move(labels), static_cast<double>(*value));
  }

  std::vector<MetricFamilyReading> Take() { return std::move(all_); }

 private:
  std::vector<MetricFamilyReading> all_;
};

void AddCpu(Families& all, const CpuReading& cpu) {
  all.BeginCounter("cpu_seconds_total", "Processor time of all cores, by mode.");
  for (const CpuTime& each : cpu.times) all.Add({{"mode", std::string(each.mode)}}, each.seconds);
  all.BeginGauge("cpu_cores", "Processor cores that are online.");
  all.AddWhole({}, cpu.cores);
  all.BeginGauge("boot_time_seconds", "When the host was started, in Unix time.");
  all.Add({}, cpu.boot_time_seconds);
}

void AddMemory(Families& all, const MemoryReading& memory) {
  all.BeginGauge("memory_total_bytes", "Memory of the host.");
  all.AddWhole({}, memory.total_bytes);
  all.BeginGauge("memory_available_bytes",
                 "Memory that processes can take without others going to swap.");
  all.AddWhole({}, memory.available_bytes);
  all.BeginGauge("swap_total_bytes", "Swap space of the host.");
  all.AddWhole({}, memory.swap_total_bytes);
  all.BeginGauge("swap_free_bytes", "Swap space that is not in use.");
  all.AddWhole({}, memory.swap_free_bytes);
}

void AddFilesystem(Families& all, const std::optional<FilesystemReading>& filesystem) {
  const FilesystemReading read = filesystem.value_or(FilesystemReading{});
  auto present = [&](uint64_t value) {
    return filesystem ? std::optional<uint64_t>(value) : std::nullopt;
  };
  all.BeginGauge("state_filesystem_size_bytes",
                 "Size of the file system that has the state directory.");
  all.AddWhole({}, present(read.total_bytes));
  all.BeginGauge("state_filesystem_free_bytes",
                 "Free space of that file system, for processes without privileges.");
  all.AddWhole({}, present(read.free_bytes));
  all.BeginGauge("state_filesystem_inodes", "Inodes of that file system.");
  all.AddWhole({}, read.total_inodes);
  all.BeginGauge("state_filesystem_free_inodes", "Free inodes of that file system.");
  all.AddWhole({}, read.free_inodes);
}

void AddBlockDevices(Families& all, const std::vector<BlockDevice>& devices) {
  auto add = [&](std::string_view name, std::string_view help, uint64_t BlockDevice::* count) {
    all.BeginCounter(name, help);
    for (const BlockDevice& each : devices) all.AddCount({{"device", each.name}}, each.*count);
  };
  add("disk_reads_total", "Reads that a block device has completed.", &BlockDevice::reads);
  add("disk_read_bytes_total", "Bytes read from a block device.", &BlockDevice::read_bytes);
  add("disk_writes_total", "Writes that a block device has completed.", &BlockDevice::writes);
  add("disk_written_bytes_total", "Bytes written to a block device.", &BlockDevice::written_bytes);
  all.BeginCounter("disk_busy_seconds_total", "Time in which a block device had work.");
  for (const BlockDevice& each : devices) all.Add({{"device", each.name}}, each.busy_seconds);
}

void AddNetworkDevices(Families& all, const std::vector<NetworkDevice>& devices) {
  auto add = [&](std::string_view name, std::string_view help, uint64_t NetworkCounts::* count) {
    all.BeginCounter(name, help);
    for (const NetworkDevice& each : devices) {
      all.AddCount({{"device", each.name}, {"direction", "receive"}}, each.received.*count);
      all.AddCount({{"device", each.name}, {"direction", "transmit"}}, each.sent.*count);
    }
  };
  add("network_bytes_total", "Bytes of a network device.", &NetworkCounts::bytes);
  add("network_packets_total", "Packets of a network device.", &NetworkCounts::packets);
  add("network_errors_total", "Packets of a network device that failed.", &NetworkCounts::errors);
  add("network_drops_total", "Packets that a network device dropped.", &NetworkCounts::drops);
}

void AddPressure(Families& all, const std::vector<Pressure>& pressure) {
  all.BeginCounter("pressure_seconds_total",
                   "Time in which some tasks, or all of them (full), waited for a resource.");
  for (const Pressure& each : pressure) {
    const std::string resource(each.resource);
    all.Add({{"resource", resource}, {"share", "some"}}, each.some_seconds);
    all.Add({{"resource", resource}, {"share", "full"}}, each.full_seconds);
  }
}

void AddKernel(Families& all, const HostReading& reading) {
  all.BeginGauge("open_descriptors", "Open file descriptions of the host.");
  if (reading.descriptors) all.AddWhole({}, reading.descriptors->open);
  all.BeginGauge("descriptor_limit", "Limit of open file descriptions of the host.");
  if (reading.descriptors) all.AddWhole({}, reading.descriptors->limit);
  AddPressure(all, reading.pressure);
  all.BeginGauge("load", "Tasks that ran or waited, averaged over so many minutes.");
  if (reading.load) {
    all.Add({{"minutes", "1"}}, reading.load->minutes_1);
    all.Add({{"minutes", "5"}}, reading.load->minutes_5);
    all.Add({{"minutes", "15"}}, reading.load->minutes_15);
  }
  const std::optional<ClockReading>& clock = reading.clock;
  all.BeginGauge("clock_synchronized",
                 "1 while the kernel's clock is synchronized, by NTP for one.");
  if (clock) all.Add({}, clock->synchronized ? 1 : 0);
  all.BeginGauge("clock_offset_seconds", "What remains to be corrected of the kernel's clock.");
  if (clock) all.Add({}, clock->offset_seconds);
  all.BeginGauge("clock_max_error_seconds", "Largest possible error of the kernel's clock.");
  if (clock) all.Add({}, clock->max_error_seconds);
}

void AddProcesses(Families& all, const std::vector<ProcessReading>& processes) {
  auto add = [&](std::string_view name, std::string_view help, auto value) {
    all.BeginGauge(name, help);
    for (const ProcessReading& each : processes) {
      all.AddWhole({{"kind", each.kind}, {"name", each.name}}, value(each));
    }
  };
  all.BeginCounter("process_cpu_seconds_total",
                   "Processor time of a child of the agent with its descendants.");
  for (const ProcessReading& each : processes) {
    all.Add({{"kind", each.kind}, {"name", each.name}}, each.cpu_seconds);
  }
  add("process_resident_bytes", "Memory of a child of the agent with its descendants.",
      [](const ProcessReading& each) { return each.resident_bytes; });
  add("process_threads", "Threads of a child of the agent with its descendants.",
      [](const ProcessReading& each) { return each.threads; });
  add("processes", "Processes of a child of the agent: itself and its descendants.",
      [](const ProcessReading& each) { return each.processes; });
  add("process_open_descriptors",
      "Open descriptors of the process among these that is nearest to its limit.",
      [](const ProcessReading& each) { return each.open_descriptors; });
  add("process_descriptor_limit", "Limit of open descriptors of that process.",
      [](const ProcessReading& each) { return each.descriptor_limit; });
}

}  // namespace

std::vector<MetricFamilyReading> HostFamilies(const HostReading& reading) {
  Families all;
  AddCpu(all, reading.cpu);
  AddMemory(all, reading.memory);
  AddFilesystem(all, reading.state_filesystem);
  AddBlockDevices(all, reading.block_devices);
  AddNetworkDevices(all, reading.network_devices);
  AddKernel(all, reading);
  AddProcesses(all, reading.processes);
  return all.Take();
}

}  // namespace meridian::agent
