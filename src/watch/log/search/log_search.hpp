// LogSearch: one page of a search, found in slices. It reads blocks in the order in which their
// first entry could come, and ends when no block that is left can have an entry before those that
// were found: so a page costs what it needs, and has the first entries there are, whatever the
// clocks of the processes that wrote them. Made by the store; its slices block, and run on one
// thread at a time.
//
// Memory: the page, one block, and the directories of the segments in whose time the search is.
// Segments are opened when the search comes to them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/fd.hpp"
#include "watch/log/entry.hpp"
#include "watch/log/search/log_query.hpp"
#include "watch/log/segment/segment.hpp"
#include "watch/log/segment/segment_writer.hpp"

namespace meridian::watch {

// What can be searched at one moment. Later changes of the store do not change it.
struct LogView {
  std::vector<std::shared_ptr<const Segment>> segments;
  // Segments that are not closed yet, as far as they are in their files.
  struct OpenFile {
    std::string path;
    uint32_t number = 0;
    std::vector<std::shared_ptr<const StoredBlock>> blocks;
  };
  std::vector<OpenFile> open_files;
  // Entries that are not in a file yet.
  std::vector<std::shared_ptr<const RawBlock>> raw_blocks;
  // What is known to be missing from all of them.
  std::vector<std::string> problems;
  uint64_t end_sequence = 0;  // above all sequences
};

struct LogPage {
  std::vector<LogEntry> entries;  // in the query's order
  // Where the next page goes on; nothing: no entry that was found is behind this page.
  std::optional<LogPosition> next;
  // The time was over: `next` has been searched up to, and not what is behind it.
  bool timed_out = false;
  // Texts about what is missing from this page because it could not be read; at most
  // kMaxListedProblems. Not empty: the page is incomplete.
  std::vector<std::string> problems;
  // Of the blocks that this search could not read. Lines that are known to be missing from a
  // segment are a problem only.
  uint64_t unread_lines = 0;
  // The first time of what the store holds: what was before has been removed. Nothing: it is empty.
  std::optional<LogTime> kept_since;
  // All entries with a lower sequence were in the store. A follower goes on from there.
  uint64_t end_sequence = 0;
  // Of a copy that another data center keeps: all lines up to this time are in it. Nothing: it is
  // the data center's own.
  std::optional<LogTime> copied_until;
};

class LogSearch {
 public:
  LogSearch(LogQuery query, LogView view);
  LogSearch(const LogSearch&) = delete;
  LogSearch& operator=(const LogSearch&) = delete;

  // Searches on until the page is complete (true), or `until` by `clock`. A slice reads one block
  // at least. Blocks.
  bool Step(const Clock& clock, TimePoint until);
  // After the last Step: the page. If it is not complete, what was found so far that nothing else
  // can come before.
  LogPage TakePage();

 private:
  // A file whose blocks are searched.
  struct Source {
    std::shared_ptr<const Segment> segment;  // null: the open segment
    std::string path;
    uint32_t number = 0;
    io::Fd fd;
  };
  // A segment or block that may have entries from `first` on.
  struct Candidate {
    LogPosition first;
    const Segment* segment = nullptr;  // a whole segment, or
    const RawBlock* raw = nullptr;     // a block in memory, or
    size_t source = 0;                 // a block of a file
    BlockPlace place;
    uint32_t runs = 0;  // of kLinesPerRow rows, those that may have all words: a set of bits
  };
  struct Later {
    bool operator()(const Candidate& a, const Candidate& b) const { return a.first > b.first; }
  };
  struct Found {
    LogPosition position;
    LogEntry entry;
    size_t bytes = 0;
  };

  void AddSegments();
  void AddOpenBlocks();
  // Whether what begins at `first` and has `range` may have entries of the page.
  bool IsWanted(const BlockRange& range, LogPosition last) const;
  void AddBlock(const StoredBlock& block, size_t source, uint32_t runs);
  void Expand(const Segment& segment);
  // For each block up to the last with any, the runs that may have all words; nothing: without
  // words or their index.
  std::optional<std::vector<uint32_t>> FindRuns(const Segment& segment);
  void SearchBlock(const Candidate& candidate);
  void SearchRows(const Block& block, uint32_t runs, uint64_t first_sequence);
  void SearchTexts(const Block& block, size_t first_row, size_t end_row, uint64_t first_sequence,
                   const std::vector<bool>& origins);
  void Offer(const Block& block, size_t row, uint64_t sequence);
  // Whether no entry from `position` on has room on the page.
  bool IsPast(LogPosition position) const;
  Result<int> OpenSource(size_t source);
  void AddProblem(std::string text, uint64_t lines);

  LogQuery query_;
  LogView view_;
  BlockFilter filter_;
  std::string longest_term_;
  size_t limit_;
  std::priority_queue<Candidate, std::vector<Candidate>, Later> candidates_;
  std::deque<Source> sources_;
  std::deque<size_t> open_sources_;  // those that hold a descriptor, kMaxOpenFiles at most
  BlockReader reader_;
  std::string folded_;
  std::vector<Found> found_;  // a heap with the last entry on top
  size_t found_bytes_ = 0;
  // The first entry that was found and has no room on the page. None behind it is taken.
  std::optional<LogPosition> bound_;
  bool may_have_more_ = false;  // not all was searched when the page was full
  LogPage page_;
};

}  // namespace meridian::watch
