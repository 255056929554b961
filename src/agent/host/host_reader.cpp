#include "agent/host/host_reader.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <sys/types.h>
#include <unistd.h>

#include "agent/host/host_reading.hpp"
#include "agent/host/host_text.hpp"
#include "agent/host/process_text.hpp"
#include "agent/host/whole_lines.hpp"
#include "agent/limits.hpp"
#include "base/result.hpp"
#include "io/file/file.hpp"

namespace meridian::agent {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxProcessFile = size_t{4} * 1024;  // of one process

std::string ReadText(const std::string& path, size_t limit = kMaxHostFile) {
  return io::ReadFile(path, limit).value_or("");
}

double TicksPerSecond() { return static_cast<double>(sysconf(_SC_CLK_TCK)); }

// Names in a folder, up to `limit` of them. Nothing: it cannot be read, or has more.
std::optional<std::vector<std::string>> NamesIn(const std::string& folder, size_t limit) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (names.size() == limit) return std::nullopt;
    names.push_back(entry->path().filename());
  }
  if (error) return std::nullopt;
  return names;
}

std::optional<ProcessTable> ReadProcesses(const std::string& proc) {
  auto names = NamesIn(proc, kMaxHostProcesses);
  if (!names) return std::nullopt;
  ProcessTable table;
  for (const std::string& name : *names) {
    const std::optional<uint64_t> pid = WholeNumber(name);
    if (!pid || *pid > std::numeric_limits<pid_t>::max()) continue;
    // One that has ended since has no text.
    if (auto stat = ParseProcessStat(ReadText(proc + "/" + name + "/stat", kMaxProcessFile))) {
      table.Add(static_cast<pid_t>(*pid), *stat);
    }
  }
  return table;
}

// Since Linux 6.2 the size of the folder is the number of its entries; before, it is 0.
std::optional<uint64_t> CountDescriptors(const std::string& process) {
  const std::string folder = process + "/fd";
  struct stat found{};
  if (stat(folder.c_str(), &found) != 0 || access(folder.c_str(), R_OK) != 0) return std::nullopt;
  if (found.st_size > 0) return static_cast<uint64_t>(found.st_size);
  uint64_t count = 0;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    ++count;
  }
  if (error) return std::nullopt;
  return count;
}

// Keeps the counts of the process that uses the largest part of its limit.
void AddDescriptors(const std::string& process, ProcessReading& sum) {
  const std::optional<uint64_t> open = CountDescriptors(process);
  const std::optional<uint64_t> limit =
      ParseDescriptorLimit(ReadText(process + "/limits", kMaxProcessFile));
  if (!open || !limit || *limit == 0) return;
  auto part = [](uint64_t part_of, uint64_t whole) {
    return static_cast<double>(part_of) / static_cast<double>(whole);
  };
  if (sum.open_descriptors &&
      part(*sum.open_descriptors, *sum.descriptor_limit) >= part(*open, *limit)) {
    return;
  }
  sum.open_descriptors = open;
  sum.descriptor_limit = limit;
}

ProcessReading& FindOrAdd(std::vector<ProcessReading>& readings, const ProcessSubject& subject) {
  auto found = std::ranges::find_if(readings, [&](const ProcessReading& each) {
    return each.kind == subject.kind && each.name == subject.name;
  });
  if (found != readings.end()) return *found;
  return readings.emplace_back(ProcessReading{.kind = subject.kind, .name = subject.name});
}

std::vector<ProcessReading> ReadSubjects(const std::string& proc,
                                         const std::vector<ProcessSubject>& subjects) {
  std::vector<ProcessReading> readings;
  if (subjects.empty()) return readings;
  const std::optional<ProcessTable> table = ReadProcesses(proc);
  if (!table) return readings;
  const double ticks = TicksPerSecond();
  const auto page_bytes = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  for (const ProcessSubject& subject : subjects) {
    std::vector<pid_t> tree = table->Tree(subject.pid);
    if (tree.empty()) continue;
    if (!subject.with_descendants) tree.resize(1);
    ProcessReading& sum = FindOrAdd(readings, subject);
    for (pid_t pid : tree) {
      ++sum.processes;
      const ProcessStat& stat = *table->Find(pid);
      sum.threads += stat.threads;
      sum.resident_bytes += stat.resident_pages * page_bytes;
      sum.cpu_seconds += static_cast<double>(stat.cpu_ticks) / ticks;
      AddDescriptors(proc + "/" + std::to_string(pid), sum);
    }
  }
  return readings;
}

std::vector<BlockDevice> ReadBlockDevices(const HostPaths& paths) {
  auto whole = NamesIn(paths.sys + "/block", kMaxBlockDeviceNames);
  if (!whole) return {};
  return ParseBlockDevices(ReadText(paths.proc + "/diskstats"), *whole);
}

}  // namespace

std::optional<FilesystemReading> ReadFilesystem(const std::string& path) {
  struct statvfs found{};
  if (statvfs(path.c_str(), &found) != 0) return std::nullopt;
  FilesystemReading reading{.total_bytes = uint64_t{found.f_blocks} * found.f_frsize,
                            .free_bytes = uint64_t{found.f_bavail} * found.f_frsize};
  if (found.f_files > 0) {
    reading.total_inodes = found.f_files;
    reading.free_inodes = found.f_favail;
  }
  return reading;
}

std::optional<ClockReading> ReadClock() {
  constexpr double kMicrosecond = 1e-6;
  constexpr double kNanosecond = 1e-9;
  timex state{};
  const int told = adjtimex(&state);
  if (told < 0) return std::nullopt;
  const bool nanoseconds = (state.status & STA_NANO) != 0;
  return ClockReading{.synchronized = told != TIME_ERROR && (state.status & STA_UNSYNC) == 0,
                      .offset_seconds = static_cast<double>(state.offset) *
                                        (nanoseconds ? kNanosecond : kMicrosecond),
                      .max_error_seconds = static_cast<double>(state.maxerror) * kMicrosecond};
}

HostReading ReadHost(const HostPaths& paths, const std::vector<ProcessSubject>& subjects) {
  auto read = [&](std::string_view name) { return ReadText(paths.proc + "/" + std::string(name)); };
  HostReading reading;
  reading.cpu = ParseCpu(read("stat"), TicksPerSecond());
  reading.memory = ParseMemory(read("meminfo"));
  reading.state_filesystem = ReadFilesystem(paths.state_directory);
  reading.block_devices = ReadBlockDevices(paths);
  reading.network_devices = ParseNetworkDevices(read("net/dev"));
  reading.descriptors = ParseDescriptors(read("sys/fs/file-nr"));
  for (const char* resource : {"cpu", "memory", "io"}) {
    reading.pressure.push_back(ParsePressure(resource, read(std::string("pressure/") + resource)));
  }
  reading.load = ParseLoad(read("loadavg"));
  reading.clock = ReadClock();
  reading.processes = ReadSubjects(paths.proc, subjects);
  return reading;
}

}  // namespace meridian::agent
