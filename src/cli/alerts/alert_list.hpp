// AlertList: the alerts of all data centers as one list. An alert of the scope "site" that several
// data centers see is in it once, with all who see it. Pure; any thread.
//
// Order: what fires before what is pending, pages before tickets, the oldest first.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "cli/alerts/alert_answer.hpp"

namespace meridian::cli {

struct ListedAlert {
  Alert alert;  // of the data center that fires it, or of the first that sees it
  std::vector<std::string> seen_by;  // data centers, in the order of Add
};

// A data center that could not be asked, or not for everything.
struct AlertGap {
  std::string data_center;
  std::string problem;
};

class AlertList {
 public:
  void Add(const std::string& data_center, AlertAnswer answer);
  void AddGap(std::string data_center, std::string problem);

  std::vector<ListedAlert> Sorted() const;
  const std::vector<AlertGap>& gaps() const { return gaps_; }
  bool firing() const;

 private:
  std::vector<ListedAlert> alerts_;
  std::map<std::string, size_t> of_site_;  // where alerts of the whole site are in `alerts_`
  std::vector<AlertGap> gaps_;
};

}  // namespace meridian::cli
