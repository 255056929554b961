// A visit as text for people, a line for each step:
//
//   visit http://photos.example/ from new-york (198.51.100.0/24)
//     dns      photos.example A      us-east 127.1.0.1:5300  0.4 ms  127.1.0.1, ttl 5 s, …
//     connect  127.1.0.1:8080        us-east                 0.1 ms
//     request  GET /                                         2.2 ms  200 OK, 3.1 KB
//     path     edge us-east > data center us-east > instance us-east-1
//     total    2.9 ms
//
// Pure. Control characters in text from the network are replaced.
#pragma once

#include <string>

#include "visit/record.hpp"
#include "visit/target.hpp"

namespace meridian::visit {

struct VisitTextOptions {
  std::string url;   // as typed by the user
  std::string from;  // Origin::shown
  bool color = false;
};

// Ends with a newline.
std::string RenderVisit(const Visit& visit, const Target& target, const VisitTextOptions& options);

// "812 bytes", "3.1 KB", "4.0 MB".
std::string BytesText(uint64_t bytes);

}  // namespace meridian::visit
