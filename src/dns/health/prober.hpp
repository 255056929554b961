// Probes every data center's edge by `GET /.meridian/ready`, each from its own fiber at a fixed
// interval, at the port that visitors use. Owned by the Server; one thread: the loop's.
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
  Endpoint edge;     // may differ from the address in answers
};

struct ProberOptions {
  std::string host;               // Host field of the probes: the site's domain
  std::optional<IpAddress> from;  // source address of the connections: this data center's
  Duration interval = kProbeInterval;
  Duration timeout = kProbeTimeout;
};

class Prober {
 public:
  // Index of the target, and whether the probe was a hit.
  using OnResult = std::function<void(size_t target, bool hit)>;

  Prober(io::Loop& loop, io::Network& network, Metrics& metrics, ProberOptions options);
  // All its fibers must have ended.
  ~Prober();

  // Probes each target at once, and then every interval, until `scope` is cancelled. Call once.
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
