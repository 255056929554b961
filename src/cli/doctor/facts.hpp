// What `meridian doctor` has seen of a machine and of a site, before any judgement. Values that
// could not be read are absent. Plain data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "agent/host/host_reading.hpp"
#include "base/clock.hpp"

namespace meridian::cli {

// A port of a data center that runs here, or is to run here, and that could not be bound.
struct PortFact {
  std::string problem;  // "127.1.0.1:8080, for the edge tier, is in use by process 12 (nginx)"
  std::string mend;
};

// The connections that a tier is configured for, and what each costs (io::ConnectionsWithin); the
// files that it keeps open where the limit allows that many (io::FilesWithin).
struct ConnectionNeed {
  std::string tier;
  uint64_t connections = 0;
  uint64_t descriptors_each = 1;
  uint64_t loops = 1;
  uint64_t files = 0;
};

struct CertificateFact {
  std::string path;
  std::string name;  // of its subject
  WallTime not_after;
  // The certificates of the site's authority, which `meridian ca` and the agents sign anew.
  bool of_site = false;
  bool is_authority = false;
};

// A file or folder with its owner and permissions.
struct ModeFact {
  std::string path;
  mode_t mode = 0;  // the permission bits
  uid_t owner = 0;
  bool is_folder = false;
};

struct KernelFacts {
  std::optional<uint64_t> somaxconn;
  std::optional<uint64_t> syn_backlog;
  std::optional<uint64_t> syn_cookies;
  std::optional<uint64_t> overcommit;
  // First and last port of outgoing connections, and the ranges that they leave out.
  std::optional<std::pair<uint16_t, uint16_t>> local_ports;
  std::vector<std::pair<uint16_t, uint16_t>> reserved_ports;
};

struct MachineFacts {
  std::string state_directory;
  std::optional<agent::ClockReading> clock;
  std::optional<agent::FilesystemReading> state_filesystem;
  std::optional<uint64_t> descriptor_limit;    // the hard limit of a process
  std::optional<uint64_t> memory_bytes;        // of the machine
  std::optional<uint64_t> memory_limit_bytes;  // of the control group
  std::optional<uint64_t> task_limit;          // of the control group: processes and threads
  KernelFacts kernel;
  std::vector<ModeFact> modes;  // the state directory, and the secrets in it
  uid_t user = 0;
  std::vector<CertificateFact> certificates;
  // Files that should have a certificate, and the reason why none was read.
  std::vector<std::string> unreadable_certificates;
  WallTime now;
};

// What the site needs of this machine: of all data centers that run here together.
struct NeedFacts {
  std::vector<ConnectionNeed> connections;  // of the process that needs most, by tier
  uint64_t cache_bytes = 0;                 // of edges and session tiers
  bool unbounded_session = false;           // [session] maxmemory is not set
  uint64_t tasks = 0;           // processes and threads, without those of the application
  std::vector<uint16_t> ports;  // that tiers and agents listen at, ascending
  std::vector<PortFact> ports_in_use;
};

// What the agent of a data center said.
struct DataCenterFacts {
  std::string name;
  bool answered = false;
  std::string problem;  // why it did not answer, or its own word
  std::string version;
  // Its clock less ours, and how far off that may be: half of the time that the answer took.
  std::optional<double> clock_offset_seconds;
  double clock_uncertainty_seconds = 0;
  std::vector<std::string> troubles;  // tiers and instances that are not well
};

struct SiteFacts {
  std::string name;
  std::vector<std::string> hosted;  // the data centers that run here, or are to run here
  NeedFacts needs;
  // Problems of site.toml's files and programs here (HostProblems); each has its mend in it. Not
  // asked for while all of `hosted` run: what they need is there.
  std::vector<std::string> host_problems;
  std::vector<DataCenterFacts> data_centers;  // empty: none was asked
  std::string version;                        // of this program
};

struct DoctorFacts {
  MachineFacts machine;
  std::optional<SiteFacts> site;  // nothing: no site.toml was found
};

}  // namespace meridian::cli
