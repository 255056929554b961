#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <sys/types.h>

#include "agent/host/host_reading.hpp"
#include "base/clock.hpp"
#include "cli/doctor/facts.hpp"
#include "cli/doctor/findings.hpp"
#include "cli/doctor/limits.hpp"
#include "cli/doctor/quantities.hpp"

namespace meridian::cli {
namespace {

using enum Severity;

void FindClock(const MachineFacts& machine, std::vector<Finding>& found) {
  if (!machine.clock) return;
  const agent::ClockReading& clock = *machine.clock;
  if (!clock.synchronized) {
    found.push_back({kWarning, "clock",
                     "the clock is not synchronized, so nothing keeps it near those of other data "
                     "centers; of two writes to one session the later one may lose",
                     "apt-get install chrony, or timedatectl set-ntp true"});
  } else if (std::abs(clock.offset_seconds) > kClockOffsetSeconds) {
    found.push_back({kWarning, "clock",
                     fmt::format("the clock is {:.1f} s wrong, and is being corrected",
                                 std::abs(clock.offset_seconds)),
                     "wait, or correct it at once with: chronyc makestep"});
  }
}

// `unit`: of `free` and `total`, in the problem's words.
void FindFullDisk(const std::string& directory, double free, double total, const std::string& text,
                  std::vector<Finding>& found) {
  if (total <= 0 || free / total >= kLowFreePart) return;
  const bool very = free / total < kVeryLowFreePart;
  found.push_back(
      {very ? kError : kWarning, "disk",
       fmt::format("the file system of {} has {} left ({:.0f}%); when it is full, "
                   "writes of sessions and messages are refused",
                   directory, text, std::floor(100 * free / total)),
       fmt::format("free some (du -xh {} | sort -h | tail), or move the state directory "
                   "to a larger file system and name it with --state",
                   directory)});
}

void FindDisk(const MachineFacts& machine, std::vector<Finding>& found) {
  if (!machine.state_filesystem) return;
  const agent::FilesystemReading& disk = *machine.state_filesystem;
  if (disk.free_bytes < kEnoughFreeBytes) {
    FindFullDisk(machine.state_directory, static_cast<double>(disk.free_bytes),
                 static_cast<double>(disk.total_bytes),
                 fmt::format("{} of {}", ByteText(disk.free_bytes), ByteText(disk.total_bytes)),
                 found);
  }
  if (disk.total_inodes && disk.free_inodes) {
    FindFullDisk(machine.state_directory, static_cast<double>(*disk.free_inodes),
                 static_cast<double>(*disk.total_inodes),
                 fmt::format("{} of {} inodes", *disk.free_inodes, *disk.total_inodes), found);
  }
}

void FindKernel(const KernelFacts& kernel, std::vector<Finding>& found) {
  auto add = [&](std::string problem, std::string_view setting) {
    found.push_back(
        {kWarning, "kernel", std::move(problem),
         fmt::format("sysctl -w {0}, and that line in /etc/sysctl.d/meridian.conf", setting)});
  };
  if (kernel.somaxconn && *kernel.somaxconn < kWantedBacklog) {
    add(fmt::format("net.core.somaxconn is {}: a burst of more new connections is dropped",
                    *kernel.somaxconn),
        "net.core.somaxconn=4096");
  }
  // With SYN cookies, connections past the backlog are accepted all the same.
  if (kernel.syn_backlog && *kernel.syn_backlog < kWantedSynBacklog && kernel.syn_cookies == 0) {
    add(fmt::format("net.ipv4.tcp_max_syn_backlog is {} and SYN cookies are off: a burst of new "
                    "connections is dropped",
                    *kernel.syn_backlog),
        "net.ipv4.tcp_syncookies=1");
  }
  if (kernel.overcommit == kStrictOvercommit) {
    add("vm.overcommit_memory is 2: memory is refused although it is free, and processes end",
        "vm.overcommit_memory=0");
  }
  if (kernel.local_ports) {
    const auto [first, last] = *kernel.local_ports;
    const uint64_t count = last < first ? 0 : uint64_t{last} - first + 1;
    if (count < kMinLocalPorts) {
      add(fmt::format("net.ipv4.ip_local_port_range has {} ports: connections to one instance or "
                      "data center run out of them",
                      count),
          "net.ipv4.ip_local_port_range=\"32768 60999\"");
    }
  }
}

std::string ModeText(const ModeFact& file) { return fmt::format("{:04o}", file.mode); }

void FindModes(const MachineFacts& machine, std::vector<Finding>& found) {
  constexpr mode_t kOthers = 077;
  for (const ModeFact& file : machine.modes) {
    if ((file.mode & kOthers) != 0) {
      found.push_back({kError, "permissions",
                       fmt::format("{} has mode {}: other users can {} the site's token, keys and "
                                   "sessions",
                                   file.path, ModeText(file), file.is_folder ? "reach" : "read"),
                       fmt::format("chmod {} {}, then replace admin.token and the keys if others "
                                   "use this machine",
                                   file.is_folder ? "0700" : "0600", file.path)});
    }
    if (file.owner != machine.user && machine.user != 0) {
      found.push_back({kError, "permissions",
                       fmt::format("{} belongs to user {}, and this is user {}", file.path,
                                   file.owner, machine.user),
                       fmt::format("run Meridian as the user that owns it, or: chown -R {} {}",
                                   machine.user, machine.state_directory)});
    }
  }
}

std::string MendOf(const CertificateFact& certificate) {
  if (certificate.is_authority) {
    return "move ca/ away, make a new authority with meridian ca, and copy it to every server";
  }
  if (certificate.of_site) {
    return "run meridian ca where authority.key is, and copy ca/ to this server; where the key is "
           "here, a running agent renews it by itself";
  }
  return "renew it with whoever issued it; a running edge takes the new file within 30 s";
}

void FindCertificates(const MachineFacts& machine, std::vector<Finding>& found) {
  for (const CertificateFact& each : machine.certificates) {
    const Duration left = each.not_after - machine.now;
    if (left > kCertificateEndsSoon) continue;
    const bool over = left <= Duration::zero();
    const auto days = std::chrono::duration_cast<std::chrono::days>(over ? -left : left).count();
    found.push_back({left <= kCertificateEndsNow ? kError : kWarning, "certificate",
                     over ? fmt::format("the certificate {} ({}) ended {} ago", each.path,
                                        each.name, DayText(days))
                          : fmt::format("the certificate {} ({}) ends in {}", each.path, each.name,
                                        DayText(days)),
                     MendOf(each)});
  }
  for (const std::string& problem : machine.unreadable_certificates) {
    found.push_back({kError, "certificate", problem,
                     "put a PEM file with the certificate there, or correct site.toml"});
  }
}

}  // namespace

std::vector<Finding> MachineFindings(const MachineFacts& machine) {
  std::vector<Finding> found;
  FindClock(machine, found);
  FindDisk(machine, found);
  FindKernel(machine.kernel, found);
  FindModes(machine, found);
  FindCertificates(machine, found);
  return found;
}

}  // namespace meridian::cli
