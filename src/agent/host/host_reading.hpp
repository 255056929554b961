// The values that were read from this host at one moment. A value that could not be read is absent,
// never 0: containers hide files, and kernels differ.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace meridian::agent {

// Processor time of all cores since boot, by the kernel's name of the mode ("user", "idle", …).
struct CpuTime {
  std::string_view mode;
  double seconds = 0;
};

struct CpuReading {
  std::vector<CpuTime> times;
  std::optional<uint32_t> cores;            // online
  std::optional<double> boot_time_seconds;  // Unix time
};

struct MemoryReading {
  std::optional<uint64_t> total_bytes;
  std::optional<uint64_t> available_bytes;
  std::optional<uint64_t> swap_total_bytes;
  std::optional<uint64_t> swap_free_bytes;
};

// A file system. Free: to processes without privileges. No inodes: it makes them as needed.
struct FilesystemReading {
  uint64_t total_bytes = 0;
  uint64_t free_bytes = 0;
  std::optional<uint64_t> total_inodes;
  std::optional<uint64_t> free_inodes;
};

// Counts since boot.
struct BlockDevice {
  std::string name;
  uint64_t reads = 0;
  uint64_t read_bytes = 0;
  uint64_t writes = 0;
  uint64_t written_bytes = 0;
  double busy_seconds = 0;
};

// Counts of one direction since the device was made.
struct NetworkCounts {
  uint64_t bytes = 0;
  uint64_t packets = 0;
  uint64_t errors = 0;
  uint64_t drops = 0;
};

struct NetworkDevice {
  std::string name;
  NetworkCounts received;
  NetworkCounts sent;
};

// Open file descriptions of the host, and their limit.
struct DescriptorReading {
  uint64_t open = 0;
  uint64_t limit = 0;
};

// Pressure stall information of one resource: the time in which some tasks, or all of them, waited
// for it. https://docs.kernel.org/accounting/psi.html
struct Pressure {
  std::string_view resource;  // "cpu", "memory", "io"
  std::optional<double> some_seconds;
  std::optional<double> full_seconds;
};

struct Load {
  double minutes_1 = 0;
  double minutes_5 = 0;
  double minutes_15 = 0;
};

// The kernel's estimate of this host's clock: adjtimex(2).
struct ClockReading {
  bool synchronized = false;
  double offset_seconds = 0;     // that remains to be corrected
  double max_error_seconds = 0;  // grows while nothing synchronizes the clock
};

// A process whose use is measured: the agent's own or a child. Subjects of one kind and name are
// measured together.
struct ProcessSubject {
  std::string kind;  // "agent", "tier", "instance", "worker"
  std::string name;
  pid_t pid = 0;
  bool with_descendants = false;
};

// All subjects of one kind and name, with their descendants.
struct ProcessReading {
  std::string kind;
  std::string name;
  uint32_t processes = 0;
  uint64_t threads = 0;
  uint64_t resident_bytes = 0;  // memory that processes share is counted in each
  double cpu_seconds = 0;       // with that of their ended children
  // Of the process among them that is nearest to its limit.
  std::optional<uint64_t> open_descriptors;
  std::optional<uint64_t> descriptor_limit;
};

struct HostReading {
  CpuReading cpu;
  MemoryReading memory;
  std::optional<FilesystemReading> state_filesystem;
  std::vector<BlockDevice> block_devices;
  std::vector<NetworkDevice> network_devices;
  std::optional<DescriptorReading> descriptors;
  std::vector<Pressure> pressure;
  std::optional<Load> load;
  std::optional<ClockReading> clock;
  std::vector<ProcessReading> processes;
};

}  // namespace meridian::agent
