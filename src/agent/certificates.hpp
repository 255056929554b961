// Renews this data center's certificates while it runs. A certificate with less than a third of its
// lifetime left is signed again if the authority's key is here; else the log asks the operator for
// a new one. io::TlsContext reloads changed files by itself.
//
// Owned by the agent's main. Threads: the loop's, and one for files.
#pragma once

#include <string>

#include "agent/context.hpp"
#include "base/clock.hpp"
#include "io/task.hpp"

namespace meridian::agent {

class Certificates {
 public:
  explicit Certificates(const Context& context) : context_(context) {}

  // Checks every kCertificateInterval, until cancelled.
  io::Task<void> Run();
  // Checks as of `now`; blocks for files. Returns a message about problems, or "".
  std::string Renew(WallTime now) const;

 private:
  const Context& context_;
};

}  // namespace meridian::agent
