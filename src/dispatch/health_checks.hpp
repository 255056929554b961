// HealthChecks: asks every instance of a roster for its health path, again and again, and tells the
// roster the outcomes. One for the process; one thread: the roster's first loop. Cancel and join
// `scope` before it is destroyed.
#pragma once

#include <memory>
#include <string>

#include "dispatch/roster.hpp"
#include "dispatch/shared_instance.hpp"
#include "io/loop.hpp"
#include "io/net/network.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"

namespace meridian::dispatch {

// The request of a check.
struct HealthRequest {
  std::string path;
  std::string host;
};

class HealthChecks {
 public:
  HealthChecks(io::Loop& loop, io::Network& network, io::Scope& scope, HealthRequest request,
               Roster& roster);
  HealthChecks(const HealthChecks&) = delete;
  HealthChecks& operator=(const HealthChecks&) = delete;

  // To be called after Roster::SetInstances. An instance is checked until it is no longer in the
  // view.
  void Follow();

 private:
  io::Task<void> Check(std::shared_ptr<SharedInstance> instance);

  io::Loop& loop_;
  io::Network& network_;
  io::Scope& scope_;
  const HealthRequest request_;
  Roster& roster_;
};

}  // namespace meridian::dispatch
