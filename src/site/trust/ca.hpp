// The site CA: what data centers trust each other by, and what the edge shows on its HTTPS port
// until it is given certificates of the public's. Made once and kept in the state directory's ca/:
//
//   authority.pem       the CA's certificate; what others are to trust. P-256, ten years
//   authority.key       its key. Where it is missing nothing is signed: a server that runs one data
//                       center gets authority.pem, web.pem and its own data center's file
//   dc-NAME.pem         key and certificate of data center NAME, for mutual TLS on peer and admin
//                       ports: PeerName and the address; one year
//   web.pem             key and certificate for visitors: the domain, everything one label below
//   it,
//                       and all addresses; one year
//
// Nothing but this writes there. Each file is replaced whole; one that is damaged, for other names,
// or has less than a third of its time left is made anew, but never authority.pem.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "site/site.hpp"
#include "site/state_dir.hpp"

namespace meridian::site {

struct SiteCa {
  std::filesystem::path authority;
  // Each file holds a private key and its certificate: give it to OpenSSL as both.
  std::map<std::string, std::filesystem::path> datacenters;
  std::filesystem::path web;
  // Those of the files that have less than a third of their time left, and cannot be signed anew
  // here.
  std::vector<std::filesystem::path> waning;
};

// The name by which a data center is known in mutual TLS, whatever the address it is reached at:
// "us-east.dc.photos.meridian". Never in the DNS.
std::string PeerName(std::string_view data_center, const Site& site);
// Those of all data centers of the site: nobody else is let in by mutual TLS, whatever the site's
// authority has signed.
std::vector<std::string> PeerNames(const Site& site);

// Makes or renews what is needed for `datacenters` (names of the site's). Blocks; safe among
// processes that start at once. kInvalid when authority.pem is damaged or has run out.
Result<SiteCa> EnsureCa(const StateDir& state, const Site& site,
                        const std::vector<std::string>& datacenters, WallTime now);

}  // namespace meridian::site
