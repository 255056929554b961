// The site that `sim dns` runs: two or three data centers, each with an edge and a dns server on
// hosts of their own, and what is known for certain about them: who is up, and which paths pass.
// Owned by one run; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "dns/data_centers.hpp"
#include "http/exchange.hpp"
#include "io/sim/world.hpp"
#include "site/site.hpp"
#include "site/view/view.hpp"

namespace meridian::sim {

// One dns server: probes, health, steering and answers, as dns::Server ties them together, without
// its threads.
class DnsServer {
 public:
  DnsServer(const site::Site& site, const dns::FixedParts& parts, io::sim::World& world)
      : site_(site), parts_(parts), world_(world), changes_(site.datacenters.size()) {}

  // Its process's main.
  io::Task<void> Run(io::sim::Machine& machine);

  // From the agent; what it hears before it runs, and after a restart, is the newest.
  void OnView(std::shared_ptr<const site::SiteView> view);

  bool running() const { return data_centers_ != nullptr; }
  bool serving(size_t data_center) const {
    return data_centers_->candidates()[data_center].serving;
  }
  // Changes of whether a data center is answered, ever, in all lives.
  uint64_t changes(size_t data_center) const { return changes_[data_center]; }

 private:
  void NoteChange();
  io::Task<void> AnswerNowAndThen();
  void CheckAnswer(const dns::Snapshot& snapshot, uint8_t client);

  const site::Site& site_;
  const dns::FixedParts& parts_;
  io::sim::World& world_;
  io::sim::SimProcess* process_ = nullptr;
  std::shared_ptr<const site::SiteView> view_;
  dns::DataCenters* data_centers_ = nullptr;  // null while it does not run
  std::vector<bool> served_;
  std::vector<uint64_t> changes_;
};

class DnsSite {
 public:
  explicit DnsSite(io::sim::World& world);

  struct DataCenter {
    io::sim::SimProcess* edge = nullptr;
    io::sim::SimProcess* dns = nullptr;
    bool ready = true;     // the edge says so
    bool drained = false;  // the view says so
    std::unique_ptr<DnsServer> server;
  };

  size_t size() const { return data_centers_.size(); }
  DataCenter& at(size_t index) { return data_centers_[index]; }
  // Both directions between a dns server and an edge.
  io::sim::Link& to_edge(size_t dns, size_t edge);
  io::sim::Link& from_edge(size_t dns, size_t edge);
  void SetDrained(size_t data_center, bool drained);

  // Whether the server must answer with the data center once it has settled.
  bool MustServe(size_t dns, size_t edge);

 private:
  io::Task<void> RunEdge(io::sim::Machine& machine, size_t index);

  io::sim::World& world_;
  site::Site site_;
  std::optional<dns::FixedParts> parts_;
  site::SiteView view_;
  std::vector<DataCenter> data_centers_;
};

}  // namespace meridian::sim
