#include "cli/doctor/machine_facts.hpp"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "agent/host/host_reader.hpp"
#include "agent/host/host_text.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "cli/doctor/facts.hpp"
#include "cli/doctor/kernel_text.hpp"
#include "cli/doctor/limits.hpp"
#include "edge/config.hpp"
#include "io/cores.hpp"
#include "io/file/file.hpp"
#include "site/site.hpp"
#include "site/trust/certificate.hpp"

namespace meridian::cli {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kPermissionBits = 0777;

std::string ReadText(const std::string& path) {
  return io::ReadFile(path, kMaxKernelFile).value_or("");
}

std::optional<uint64_t> Setting(const std::string& name) {
  return ParseSetting(ReadText("/proc/sys/" + name));
}

KernelFacts ReadKernel() {
  return {.somaxconn = Setting("net/core/somaxconn"),
          .syn_backlog = Setting("net/ipv4/tcp_max_syn_backlog"),
          .syn_cookies = Setting("net/ipv4/tcp_syncookies"),
          .overcommit = Setting("vm/overcommit_memory"),
          .local_ports = ParsePortRange(ReadText("/proc/sys/net/ipv4/ip_local_port_range")),
          .reserved_ports = ParsePortList(ReadText("/proc/sys/net/ipv4/ip_local_reserved_ports"))};
}

// The lowest limit among the control group of this process and those above it. Version 1 has the
// memory limit of a container at the root of its hierarchy.
std::optional<uint64_t> GroupLimit(const std::string& file, const std::string& version_1) {
  constexpr const char* kControlGroups = "/sys/fs/cgroup";
  std::vector<std::string> paths;
  for (const std::string& group : io::CpuGroups(ReadText("/proc/self/cgroup"), kControlGroups)) {
    paths.push_back(group + "/" + file);
  }
  paths.push_back(kControlGroups + ("/" + version_1));
  std::optional<uint64_t> lowest;
  for (const std::string& path : paths) {
    const std::optional<uint64_t> limit = ParseSetting(ReadText(path));
    if (limit) lowest = std::min(*limit, lowest.value_or(*limit));
  }
  return lowest;
}

std::optional<uint64_t> DescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::nullopt;
  return limit.rlim_max;
}

// Regular files in a folder, by name; at most kMaxStateFiles.
std::vector<fs::path> FilesIn(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end;
       !error && entry != end && files.size() < kMaxStateFiles; entry.increment(error)) {
    std::error_code unreadable;
    if (entry->is_regular_file(unreadable)) files.push_back(entry->path());
  }
  std::ranges::sort(files);
  return files;
}

void AddMode(const fs::path& path, std::vector<ModeFact>& modes) {
  struct stat found{};
  if (lstat(path.c_str(), &found) != 0) return;
  modes.push_back({.path = path.string(),
                   .mode = found.st_mode & kPermissionBits,
                   .owner = found.st_uid,
                   .is_folder = S_ISDIR(found.st_mode)});
}

// The state directory. In a directory that is closed to others, the modes of its files do not
// matter; in an open one each secret is named.
std::vector<ModeFact> ReadModes(const fs::path& state) {
  constexpr mode_t kOthers = 077;
  std::vector<ModeFact> modes;
  AddMode(state, modes);
  if (modes.empty() || (modes[0].mode & kOthers) == 0) return modes;
  std::vector<fs::path> secrets = FilesIn(state / "ca");
  std::erase_if(secrets, [](const fs::path& file) { return file.filename() == "authority.pem"; });
  secrets.push_back(state / "admin.token");
  std::vector<ModeFact> files;
  for (const fs::path& secret : secrets) AddMode(secret, files);
  std::erase_if(files, [](const ModeFact& file) { return (file.mode & kOthers) == 0; });
  modes.insert(modes.end(), files.begin(), files.end());
  return modes;
}

void AddCertificate(CertificateFact fact, MachineFacts& machine) {
  Result<std::string> pem = io::ReadFile(fact.path, kMaxCertificateFile);
  if (!pem) {
    machine.unreadable_certificates.push_back(pem.error().message);
    return;
  }
  Result<site::CertificateFacts> read = site::ReadCertificate(*pem);
  if (!read) {
    machine.unreadable_certificates.push_back(
        fmt::format("{} has no certificate that can be read", fact.path));
    return;
  }
  fact.name = read->dns_names.empty() ? read->common_name : read->dns_names.front();
  fact.not_after = read->not_after;
  machine.certificates.push_back(std::move(fact));
}

void ReadCertificates(const fs::path& state, const site::Site* site, MachineFacts& machine) {
  for (const fs::path& file : FilesIn(state / "ca")) {
    if (file.extension() != ".pem") continue;
    AddCertificate({.path = file.string(),
                    .of_site = true,
                    .is_authority = file.filename() == "authority.pem"},
                   machine);
  }
  if (site == nullptr) return;
  for (const edge::Certificate& each : site->sections.Get<edge::Config>().certificates) {
    AddCertificate({.path = each.certificate_path}, machine);
  }
}

// The file system that will have the state directory, where it is not made yet.
std::string ExistingFolder(fs::path path) {
  std::error_code error;
  while (!fs::exists(path, error) && path.has_relative_path()) path = path.parent_path();
  return path.string();
}

}  // namespace

MachineFacts ReadMachine(const fs::path& state_directory, const site::Site* site) {
  MachineFacts machine{.state_directory = state_directory.string()};
  machine.clock = agent::ReadClock();
  machine.state_filesystem = agent::ReadFilesystem(ExistingFolder(state_directory));
  machine.descriptor_limit = DescriptorLimit();
  machine.memory_bytes = agent::ParseMemory(ReadText("/proc/meminfo")).total_bytes;
  machine.memory_limit_bytes = GroupLimit("memory.max", "memory/memory.limit_in_bytes");
  machine.task_limit = GroupLimit("pids.max", "pids/pids.max");
  machine.kernel = ReadKernel();
  machine.modes = ReadModes(state_directory);
  machine.user = geteuid();
  machine.now = SystemClock().Wall();
  ReadCertificates(state_directory, site, machine);
  return machine;
}

}  // namespace meridian::cli
