// Asks every data center's edge `GET /.meridian/ready`, each by a fiber of its own, at a steady
// pace: what visitors go through is what is probed. Owned by the Server; one thread: the loop's.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/metrics.hpp"
#include "dns/limits.hpp"
#include "http/client/client.hpp"
#include "io/scope.hpp"

namespace meridian::dns {

struct ProbeTarget {
  std::string name;  // of the data center, for metrics
  Endpoint edge;     // need not be what visitors are told
};

struct ProberOptions {
  std::string host;               // that the probes ask for: the site's domain
  std::optional<IpAddress> from;  // our end of the connections: this data center's address
  Duration interval = kProbeInterval;
  Duration timeout = kProbeTimeout;
};

class Prober {
 public:
  // The index of the target, and whether it was ready.
  using OnResult = std::function<void(size_t target, bool hit)>;

  Prober(io::Loop& loop, io::Network& network, Metrics& metrics, ProberOptions options);
  // Every fiber must have ended.
  ~Prober();

  // Probes each target at once, and then every interval, until `scope` is cancelled. Once.
  void Start(const std::vector<ProbeTarget>& targets, OnResult on_result, io::Scope& scope);

 private:
  struct Target;
  io::Task<void> Run(size_t index);
  io::Task<bool> Probe(Target& target);

  io::Loop& loop_;
  io::Network& network_;
  Metrics& metrics_;
  ProberOptions options_;
  OnResult on_result_;
  std::vector<std::unique_ptr<Target>> targets_;
};

}  // namespace meridian::dns
