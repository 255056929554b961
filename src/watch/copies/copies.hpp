// Copies: those of all other data centers' lines, and the connections of both directions at the
// peer port. Owned by the tier; one thread: the loop's. Stop it before it is destroyed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.hpp"
#include "base/result.hpp"
#include "io/blocking.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "site/site.hpp"
#include "site/tier/peer_listener.hpp"
#include "site/tier/tier_process.hpp"
#include "watch/copies/copy_server.hpp"
#include "watch/copies/log_copy.hpp"
#include "watch/log/entry.hpp"
#include "watch/log/segment/log_files.hpp"

namespace meridian::watch {

class LogStore;

class Copies {
 public:
  // `folder`: of the copies' files; its parent exists when Open is called.
  Copies(site::TierProcess& process, std::filesystem::path folder, uint64_t max_bytes);
  ~Copies();

  // Listens at the peer port, where the site has other data centers. Errors: those of PeerListener.
  Result<void> Start();
  // Copies, and sends the lines of `store`, from now on.
  void Open(LogStore& store);
  // Ends all connections, and closes the copies.
  io::Task<void> Stop();

  // The copy of a data center's lines; null: there is none.
  LogCopy* Find(std::string_view data_center);
  // Brings the metrics up to date.
  void Update();
  // What is wrong with a copy, for people; empty: nothing.
  std::string Problem() const;

 private:
  struct Member {
    std::unique_ptr<LogCopy> copy;
    Gauge& connected;
    Gauge& behind;
    Gauge& bytes;
    Counter& entries;
    Counter& gaps;
  };

  void Add(const site::DataCenter& other, uint64_t max_bytes);
  // Logs the folders of data centers that are not in site.toml any more.
  io::Task<void> TellForgotten();

  site::TierProcess& process_;
  const std::filesystem::path folder_;
  const LogTime started_;
  io::BlockingPool pool_;
  LogFiles files_;
  CopyServer server_;
  std::vector<Member> members_;
  std::unique_ptr<site::PeerListener> listener_;
  io::Scope copying_;
};

}  // namespace meridian::watch
