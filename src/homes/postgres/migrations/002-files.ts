/** Which files of records are held. */
export const files = `
CREATE TABLE %s._lockstep_files (
  sync text COLLATE "C" NOT NULL,
  stream text COLLATE "C" NOT NULL,
  parent text COLLATE "C" NOT NULL,
  media text COLLATE "C" NOT NULL,
  url text NOT NULL,
  changed_at text,
  position bigint,
  content_type text NOT NULL,
  size bigint NOT NULL,
  hash text NOT NULL,
  path text NOT NULL,
  fetched_at bigint NOT NULL,
  PRIMARY KEY (sync, stream, parent, media)
);
`;
