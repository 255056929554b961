// Keeps this data center's certificates fresh while it runs: one that has less than a third of its
// time left is signed anew where the authority's key is at hand, and asked for in the log where it
// is not. Whoever shows a certificate takes the new file up by itself (io::TlsContext).
//
// Owned by the agent's main; one thread, its loop's, and one for files.
#pragma once

#include <string>

#include "agent/context.hpp"
#include "base/clock.hpp"
#include "io/task.hpp"

namespace meridian::agent {

class Certificates {
 public:
  explicit Certificates(const Context& context) : context_(context) {}

  // Looks once in kCertificateInterval, until cancelled.
  io::Task<void> Run();
  // Looks as at `now`; blocks for files. What there is to say about it, or "".
  std::string Renew(WallTime now) const;

 private:
  const Context& context_;
};

}  // namespace meridian::agent
