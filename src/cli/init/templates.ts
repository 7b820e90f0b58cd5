/** A configuration that `lockstep init` writes, and what a person does next. */
export interface Template {
  readonly name: string;
  readonly summary: string;
  readonly yaml: string;
  readonly next: readonly string[];
}

/** Read by editors that know the YAML language server. */
export const SCHEMA_FILE = "lockstep.schema.json";
export const SCHEMA_LINE: string = `# yaml-language-server: $schema=./${SCHEMA_FILE}\n`;

const SYNC_OPTIONS = `
    # Everything below is optional; the values shown are the defaults.
    # into: home              # or the name of a system to copy into
    # naming: source          # or snake_case
    # deletes: remove         # or mark: keep the row with its time of deletion
    # drift: evolve           # new fields become columns; or ignore, or halt
    # overlap: 10m            # read again this far back, for records that arrive late
    # history: full           # or changes (no whole images of new records), or off
    # concurrency: 3          # streams read at the same time
    # guard:                  # stop and ask a person before
    #   deleteShare: 10%      #   deleting more than this share of a table
    #   deleteCount: 5000     #   or more rows than this
    #   parkedCount: 1000     #   or setting aside more bad records than this
`;

const STREAM_OPTIONS = `
        # select: [ListPrice, StandardStatus, City]   # only these fields; default: all
        # filter: "ListPrice gt 1000000"              # only these records
        # monitor:                                    # told apart as status and price changes
        #   status: StandardStatus
        #   price: [ListPrice]
        #   transitions: ["Active:Pending", "Pending:Closed", "Active:Withdrawn", "Active:Expired"]
        # validate:                                   # a record that fails is set aside, not lost
        #   - { field: ListPrice, min: 0 }
        #   - { field: City, required: true, otherwise: reject }
`;

const WFRMLS: Template = {
  name: "wfrmls",
  summary: "WFRMLS (UtahRealEstate.com)",
  yaml: `# Lockstep: an exact, fresh copy of WFRMLS in one SQLite file.
# lockstep check   says what can be reached and what would be created
# lockstep run     does it; run it as often as you like

# Lockstep's own tables, and the replica.
home: sqlite:./lockstep.db

systems:
  wfrmls:
    connector: reso
    profile: wfrmls
    url: https://resoapi.utahrealestate.com/reso/odata
    # The token itself never stands here: env:NAME or file:PATH.
    token: env:WFRMLS_TOKEN
  # files:                  # CSV or JSONL files and a feed of changes; then set "into: files"
  #   connector: file
  #   folder: ./out
  #   format: jsonl

syncs:
  mls:
    replicate: wfrmls
${SYNC_OPTIONS.slice(1)}
    streams:
      Property:
${STREAM_OPTIONS.slice(1)}      Member:
      Office:
      OpenHouse:
      # Media:                # photos' records; large
      # PropertyUnitTypes:
      # Adu:
      # Lookup:
`,
  next: [
    "export WFRMLS_TOKEN=…     the token from your vendor dashboard",
    "lockstep check            says what can be reached and what would be created",
    "lockstep run              makes the copy; later runs only read what changed",
  ],
};

const SAMPLE: Template = {
  name: "sample",
  summary: "a made-up MLS on this machine, to try things out",
  yaml: `# Lockstep: a copy of the sample MLS that \`lockstep sample-mls\` serves on this machine.
home: sqlite:./lockstep.db

systems:
  sample:
    connector: reso
    profile: wfrmls           # the sample behaves as WFRMLS does
    url: http://127.0.0.1:4800/reso/odata
    token: env:SAMPLE_MLS_TOKEN
    budget: { perSecond: 1000 }   # it is your own machine; WFRMLS is asked far less often

syncs:
  mls:
    replicate: sample
${SYNC_OPTIONS.slice(1)}
    streams:
      Property:
${STREAM_OPTIONS.slice(1)}      Member:
      Office:
      OpenHouse:
      Media:
`,
  next: [
    "lockstep sample-mls       serves the MLS; leave it running and open another terminal",
    "export SAMPLE_MLS_TOKEN=sample-token",
    "lockstep check            says what can be reached and what would be created",
    "lockstep run              makes the copy",
  ],
};

export const TEMPLATES: readonly Template[] = [WFRMLS, SAMPLE];
