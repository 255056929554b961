// CopyServer: sends the lines of this data center's log store to the watch tiers of others, as soon
// as they are in it, so that the others have them when this data center is lost
// (copies/copy_frame.hpp). It keeps nothing: a follower says how far it is. Owned by the tier; one
// thread: the loop's. Close it before its connections, and these before it is destroyed.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/recurring_problem.hpp"
#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/net/stream.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "watch/copies/copy_frame.hpp"

namespace meridian::watch {

class LogStore;
struct LogPage;
struct LogQuery;

class CopyServer {
 public:
  explicit CopyServer(io::Loop& loop) : loop_(loop) {}

  // Before Open and after Close connections are ended at once.
  void Open(LogStore& store) { store_ = &store; }
  void Close() { store_ = nullptr; }

  // Serves a connection of a data center until it ends. A newer one of the same data center ends
  // it. `allowed` says whether the certificate is that data center's. What the follower has not got
  // and will not get (it was removed, or cannot be read) makes a gap in a frame.
  io::Task<void> Serve(std::unique_ptr<io::Stream> stream,
                       std::function<bool(std::string_view data_center)> allowed);

 private:
  struct Session;

  static io::Task<Result<CopyRequest>> ReadRequest(Session& session);
  io::Task<void> Send(Session& session);
  io::Task<void> SendFrames(Session& session);
  io::Task<void> ReadTaken(Session& session);
  io::Task<Result<CopyFrame>> NextFrame(Session& session);
  io::Task<Result<void>> AwaitTurn();
  io::Task<Result<LogPage>> Search(LogQuery query);

  io::Loop& loop_;
  LogStore* store_ = nullptr;
  size_t searching_ = 0;
  io::WaitQueue search_ended_;
  std::map<std::string, io::Stream*> streams_;  // by the follower's data center
  RecurringProblem refused_;
};

}  // namespace meridian::watch
