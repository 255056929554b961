// LogDataCenters: the logs of all data centers of a site, which their agents are asked for: one
// search of them all, or followers of each. Of a data center that does not answer, the newest copy
// that another one keeps is shown. Owned by the command; one thread: that of its loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cli/command_line.hpp"
#include "cli/logs/log_options.hpp"
#include "io/loop.hpp"
#include "io/net/socket.hpp"
#include "io/task.hpp"
#include "site/site.hpp"
#include "watch/log/search/log_query.hpp"
#include "watch/log/search/log_search.hpp"

namespace meridian::watch {
class LogMerge;
}  // namespace meridian::watch

namespace meridian::cli {

class LogDataCenters {
 public:
  // Those of `data_centers` are asked.
  LogDataCenters(io::Loop& loop, io::SystemNetwork& network, const Deployed& deployed,
                 const LogOptions& options,
                 const std::vector<const site::DataCenter*>& data_centers);

  // Prints the newest lines that the query finds, in the order of time. The exit status: kFailed
  // if no data center answered.
  io::Task<int> Show(const watch::LogQuery& query);
  // Prints the lines that come after those of Show, until the process is ended or standard output
  // cannot be written.
  io::Task<int> Follow(const watch::LogQuery& query);

 private:
  struct DataCenter {
    const site::DataCenter* described = nullptr;
    bool answered = false;
    // Why it was not asked to the end; told already.
    std::string problem = {};
    // All entries before it have been seen; nothing: it has not answered yet.
    std::optional<uint64_t> end_sequence = {};
    std::optional<watch::LogPosition> position = {};  // of the follower, in kArrival
    // Keeps the copy that is shown instead of its own lines; null: there is none.
    const site::DataCenter* copy_at = nullptr;
  };
  struct Copy {
    const site::DataCenter* at = nullptr;
    std::optional<Result<watch::LogPage>> page = {};
  };

  // A page of one data center's log, once there is an entry of `after` or more if it is given.
  io::Task<Result<watch::LogPage>> Ask(const DataCenter& of, const watch::LogQuery& query,
                                       std::optional<uint64_t> after);
  io::Task<void> AskInto(DataCenter& of, watch::LogQuery query,
                         std::optional<Result<watch::LogPage>>& into);
  // A page of the newest copy of its lines. kNotFound: no data center that answers has one.
  io::Task<Result<watch::LogPage>> AskCopies(DataCenter& of, const watch::LogQuery& query);
  io::Task<Result<watch::LogPage>> AskAt(const site::DataCenter& at, std::string path,
                                         const watch::LogQuery& query, bool follows);
  io::Task<void> AskAtInto(Copy& copy, std::string path, watch::LogQuery query);
  io::Task<void> AskWanted(watch::LogMerge& merge);
  // The first page of a data center that does not answer, or nothing.
  io::Task<void> PutCopy(watch::LogMerge& merge, size_t source, Error missing);
  io::Task<void> FollowOne(DataCenter& of, watch::LogQuery query);
  Result<void> PrintPage(watch::LogPage page);
  void TellProblem(DataCenter& of, const std::string& problem);
  void TellAnswer(DataCenter& of, const watch::LogPage& page);
  std::string TextOf(const watch::LogEntry& entry) const;

  io::Loop& loop_;
  io::SystemNetwork& network_;
  const Deployed& deployed_;
  const LogOptions& options_;
  const bool colours_;
  std::vector<DataCenter> data_centers_;
  bool can_print_ = true;
};

}  // namespace meridian::cli
