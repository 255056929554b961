// CertificateExpiries: shows as a metric when certificates expire. It reads their files at the
// start and every kCertificateExpiryInterval, so that renewed ones are seen.
//
// Owned by a process's main; one thread: that of its loop and of `metrics`. Files are read on a
// thread of its own. Invariant: no series is there before its file has been read.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "io/blocking.hpp"
#include "io/task.hpp"

namespace meridian::site {

constexpr Duration kCertificateExpiryInterval = std::chrono::minutes{10};

// A PEM file whose first certificate is meant. `name` is the value of the metric's label
// `certificate`.
struct NamedCertificate {
  std::string name;
  std::string path;
};

class CertificateExpiries {
 public:
  // The names differ. `metric` ends in _timestamp_seconds: its value is Unix time.
  CertificateExpiries(Metrics& metrics, std::string metric,
                      std::vector<NamedCertificate> certificates);

  // Until cancelled.
  io::Task<void> Run();
  // Reads all files once. A file without a certificate, or that cannot be read, has 0.
  io::Task<void> Show();

 private:
  Metrics& metrics_;
  const std::string metric_;
  const std::vector<NamedCertificate> certificates_;
  std::map<std::string, Gauge*> shown_;  // by name
  io::BlockingPool files_{1};
};

}  // namespace meridian::site
